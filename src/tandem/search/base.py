"""The interface of every search, and the loop over positions that all of them share."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Self

import torch
from torch import Tensor

from tandem.core.precision import wide_type
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.search.prefixes import log_normalizer
from tandem.search.rules.base import Rule, apply_rules
from tandem.search.vocabulary import Vocabulary


@dataclass(frozen=True)
class Step:
    """What the model says about the next symbol, and what of it may be written."""

    scores: Callable[[Tensor, State], tuple[Tensor, State]]
    """tokens (N,), state -> scores (N, V), next state."""
    normalized: bool
    """Whether scores can be summed as they are, like log-probabilities; else they are logits."""
    rules: tuple[Rule, ...] = ()
    """Forbid next symbols, one rule after the other."""

    def allowed(self, scores: Tensor, history: Tensor) -> Tensor:
        """Scores (N, V) after the rules, given what each row has written (N, t)."""
        return apply_rules(self.rules, scores, history)

    def log_probs(self, scores: Tensor) -> Tensor:
        """Scores (N, V) as log-probabilities, at least float32."""
        dtype = wide_type(scores.dtype)
        return scores.to(dtype) if self.normalized else scores.log_softmax(-1, dtype=dtype)

    def log_normalizer(self, scores: Tensor) -> Tensor:
        """What scores (N, V) lack to be log-probabilities, at least float32: (N, 1)."""
        if not self.normalized:
            return log_normalizer(scores)
        return torch.zeros(len(scores), 1, dtype=torch.float32, device=scores.device)


class Search(ABC):
    """A decoding algorithm: generates target sequences token by token.

    It moves rows of a state only inside one source's hypotheses, and looks at nothing in it.
    """

    width: int
    """Hypotheses that it finds of a source, at most."""

    @abstractmethod
    def __call__(
        self, step: Step, state: State, *, first: Tensor, max_length: int
    ) -> list[list[Hypothesis]]:
        """Search for all sources of a batch together.

        :param step: the model's next-symbol function.
        :param state: the state before the first symbol, one hypothesis a source.
        :param first: (B,) the symbol that each output begins with, as a rule ``bos``.
        :param max_length: most symbols of an output, ``eos`` included.
        :return: for each source its hypotheses, the best first.
        """

    def bind(self, vocabulary: Vocabulary) -> Self:
        """The same search with ids for its texts.

        :raises InputError: if the vocabulary does not have what the search names.
        """
        return self


class Choice(NamedTuple):
    """How B sources with K open prefixes each go on, N = B x K."""

    tokens: Tensor
    """(N,) the new last symbols; ``eos`` if a prefix has ended or is impossible."""
    parents: Tensor | None
    """(P, N / P) which prefix of its block each one extends: P blocks, each inside a source. None:
    all extend themselves."""
    going: Tensor
    """(B,) bool: which sources are not done. One that is done stays so, and finds no more."""


class Expansion(ABC):
    """One call of a search: what has been written of a batch so far, and how it goes on.

    :param rows: K, open prefixes a source.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows

    @abstractmethod
    def history(self, position: int) -> Tensor:
        """The open prefixes, each of ``position`` symbols: (N, position)."""

    @abstractmethod
    def advance(self, allowed: Tensor, normalizer: Tensor, position: int) -> Choice:
        """Extend the open prefixes by one symbol.

        :param allowed: (N, V) scores of next symbols, ``-inf`` for what a rule forbids.
        :param normalizer: (N, 1) to be subtracted from them for log-probabilities.
        :param position: symbols that the prefixes have.
        """

    @abstractmethod
    def keep(self, sources: Tensor) -> None:
        """Go on with some of the open sources (B',) alone."""

    @abstractmethod
    def hypotheses(self) -> list[list[Hypothesis]]:
        """What was found of each source, the best first."""


def extend_step_by_step(
    step: Step, state: State, expansion: Expansion, *, first: Tensor, max_length: int
) -> list[list[Hypothesis]]:
    """The autoregressive loop: ask the step, apply the rules, expand; for all see :class:`Search`.

    Sources leave the batch when they are done, which the device is asked every few positions; what
    is done but still there changes no more.
    """
    rows, tokens, ask_every = expansion.rows, first, positions_between_questions(first.device)
    for position in range(max_length):
        scores, state = step.scores(tokens, state)  # (N, V)
        allowed = scores
        if step.rules:
            allowed = step.allowed(scores, expansion.history(position)[: len(scores)])
        normalizer = step.log_normalizer(scores)  # (N, 1) of all symbols, forbidden ones too
        if not position and rows > 1:  # one prefix a source becomes several
            state = state.repeat(rows)
            allowed, normalizer = (
                part.repeat_interleave(rows, 0) for part in (allowed, normalizer)
            )
        tokens, parents, going = expansion.advance(allowed, normalizer, position)
        if parents is not None:
            state = state.reorder(_places(parents))
        if (position + 1) % ask_every == 0 and not going.all():
            sources = going.nonzero().squeeze(1)  # (B',)
            if not len(sources):
                break
            expansion.keep(sources)
            state = state.select(sources, rows)
            tokens = tokens.view(-1, rows)[sources].flatten()
    return expansion.hypotheses()


def positions_between_questions(device: torch.device) -> int:
    """How often to ask which sources are done: a CPU knows it at once, others are waited for."""
    return 1 if device.type == "cpu" else 8


def _places(parents: Tensor) -> Tensor:
    """Places (P, n) inside blocks of n -> rows (P x n,)."""
    blocks, size = parents.shape
    firsts = size * torch.arange(blocks, device=parents.device)
    return (parents + firsts.unsqueeze(1)).flatten()


def until_eos(row: list[int]) -> list[int]:
    """Drop what stands behind the first ``eos``."""
    return row[: row.index(SPECIAL_IDS.eos) + 1] if SPECIAL_IDS.eos in row else row
