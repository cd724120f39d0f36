"""From sources to outputs: what training, evaluation and generation do alike with a model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS, Batch, Hypothesis
from tandem.models.sequence_model import SequenceModel
from tandem.search.base import Search, Step
from tandem.search.ensemble import start_together
from tandem.search.listening import Listener, listen
from tandem.search.prompts import begin_with
from tandem.search.rules import Rule
from tandem.search.scorers import Scorer
from tandem.search.vocabulary import Vocabulary


@dataclass(frozen=True)
class Decoding:
    """How outputs are found: a search, who has a say in it, and what it may not write."""

    search: Search
    scorers: tuple[Scorer, ...] = ()
    """Change what the decoder says of next symbols, one after the other."""
    rules: tuple[Rule, ...] = ()
    """Forbid next symbols, in any order."""
    prompts: Tensor | None = None
    """(B, P) ids with which the outputs of each source begin; see :func:`begin_with`."""
    listener: Listener | None = None
    """Is told each step of the search, of all models of an ensemble together."""

    @property
    def width(self) -> int:
        """Hypotheses that are found of a source, at most."""
        return self.search.width

    def check(self, model: SequenceModel) -> None:
        """Refuse a model that cannot decode like this, or lacks what a scorer reads."""
        model.fit(self)
        for scorer in self.scorers:
            scorer.check(model)

    def bind(self, vocabulary: Vocabulary) -> "Decoding":
        """The same with ids for all texts.

        :raises InputError: if the vocabulary does not have what search and rules name, if a scorer
            cannot score it, or if rules contradict each other.
        """
        rules = tuple(rule.bind(vocabulary) for rule in self.rules)
        for rule in rules:
            others = [other for other in rules if other is not rule]
            rule.check(others, vocabulary.vocabulary_size)
        scorers = tuple(scorer.bind(vocabulary) for scorer in self.scorers)
        search = self.search.bind(vocabulary)
        return replace(self, search=search, scorers=scorers, rules=rules)

    def step(self, model: SequenceModel) -> Step:
        """The model's next-symbol function with its scorers, without rules."""
        decoder = Step(model.step, model.normalized)
        if not self.scorers:
            return decoder

        scorers = [scorer.beside(model) for scorer in self.scorers]

        def scores(tokens: Tensor, state: State) -> tuple[Tensor, State]:
            decoder_state, *own_states = state.carry
            predicted = model.decode(tokens.unsqueeze(1), decoder_state)
            said = model.scores(predicted.features, predicted.copied)[:, 0]  # (N, V)
            log_probs = decoder.log_probs(said)
            all_weights = predicted.weights
            weights = None if all_weights is None else lambda: all_weights()[:, 0]
            after = []
            for scorer, own_state in zip(scorers, own_states, strict=True):
                log_probs, own_state = scorer(tokens, log_probs, weights, own_state)
                after.append(own_state)
            return log_probs, State(carry=(predicted.state, *after))

        return Step(scores, normalized=True)

    def start(self, model: SequenceModel, memory: Memory) -> State:
        """What :meth:`step` carries before the first symbol, one hypothesis a source."""
        if not self.scorers:
            return model.start(memory)
        started = (scorer.start(model, memory) for scorer in self.scorers)
        return State(carry=(model.start(memory), *started))


def encode(model: SequenceModel, batch: Batch) -> Memory:
    """Read a batch's sources, unless a frozen encoder has read them before."""
    if batch.memory is not None:
        return Memory(*batch.memory)
    return model.encode(batch.source, batch.source_mask)


def generate(
    model: SequenceModel, decoding: Decoding, memory: Memory, max_length: int
) -> list[list[Hypothesis]]:
    """Search for outputs of the sources in memory, the best first.

    :param decoding: bound, if it holds texts.
    """
    decoding = model.fit(decoding)
    step, state = decoding.step(model), decoding.start(model, memory)
    return _search(decoding, step, state, memory.mask, max_length)


def generate_together(
    models: Sequence[SequenceModel],
    decoding: Decoding,
    memories: Sequence[Memory],
    max_length: int,
    *,
    average: str,
) -> list[list[Hypothesis]]:
    """Search for outputs that an ensemble finds good; the scorers listen to each of its models.

    :param memories: what each model has read of the same sources.
    :param average: see :func:`start_together`.
    """
    started = [
        (decoding.step(model), decoding.start(model, memory))
        for model, memory in zip(models, memories, strict=True)
    ]
    step, state = start_together(started, average=average)
    return _search(decoding, step, state, memories[0].mask, max_length)


def _search(
    decoding: Decoding, step: Step, state: State, mask: Tensor, max_length: int
) -> list[list[Hypothesis]]:
    """Search under the rules, those last that ask what the others leave."""
    first = torch.full((len(mask),), SPECIAL_IDS.bos, dtype=torch.long, device=mask.device)
    if decoding.prompts is not None:
        step, state = begin_with(step, state, decoding.prompts)
    if decoding.listener is not None:
        step, state = listen(step, state, decoding.listener, first=first)
    rules = tuple(sorted(decoding.rules, key=lambda rule: rule.last))
    step = replace(step, rules=rules)
    return decoding.search(step, state, first=first, max_length=max_length)
