"""A language model has a say: shallow fusion, Gulcehre et al. (2015), section 4.1.

The decoder has learnt a language model of its own from the targets that it was trained on. An
estimate of it, the decoder without its source, can be subtracted: Variani et al. (2020), and Meng
et al. (2021), section 3.2.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS
from tandem.models.sequence_model import SequenceModel
from tandem.search.options import in_range
from tandem.search.scorers.base import Scorer
from tandem.search.vocabulary import Vocabulary

KEY = "scorer.language_model"
MOST = 10.0


class LanguageModelScorer(Scorer):
    """Adds ``w log p_lm - v log p_ilm`` to what the decoder says of each next symbol.

    p_ilm is what the decoder itself says if its memory holds zeros.

    :param path: folder of the language model's run, or of its bundle; None in a bundle, which has
        it inside.
    :param weight: w, at least 0.
    :param internal_weight: v, at least 0.
    """

    asks_model = True

    def __init__(self, *, path: str | None, weight: float, internal_weight: float) -> None:
        for name, value in (("weight", weight), ("internal_weight", internal_weight)):
            if not in_range(value, 0, MOST):
                raise InputError(f"`{KEY}.{name}` must be from 0 to {MOST}, but is {value!r}.")
        self.path, self.weight, self.internal_weight = path, weight, internal_weight
        self._language_model: SequenceModel | None = None
        self._symbols: Sequence[str] = ()
        self._decoder: SequenceModel | None = None

    def with_model(self, model: SequenceModel, symbols: Sequence[str]) -> "LanguageModelScorer":
        """See :class:`Scorer`."""
        scorer = copy(self)
        scorer._language_model, scorer._symbols = model, symbols
        return scorer

    def bind(self, vocabulary: Vocabulary) -> "LanguageModelScorer":
        """Refuse a language model of other symbols."""
        if list(self._symbols) != list(vocabulary.symbols):
            raise InputError(
                f"The language model {self.path or 'in this bundle'} has another vocabulary than "
                "the outputs, but ids must mean the same in both; train it with tokenizer="
                "pretrained tokenizer.path=RUN, the run that writes, or rank outputs as text with "
                "rescoring.path."
            )
        return self

    def beside(self, model: SequenceModel) -> "LanguageModelScorer":
        """See :class:`Scorer`; that model's decoder gives the internal language model."""
        scorer = copy(self)
        scorer._decoder = model
        return scorer

    def check(self, model: SequenceModel) -> None:
        """See :class:`Scorer`."""
        if self.internal_weight and model.normalized:
            raise InputError(
                f"`{KEY}.internal_weight` ({self.internal_weight}) needs the decoder without its "
                "source, but this model copies from its source; set it to 0."
            )

    def start(self, model: SequenceModel, memory: Memory) -> State:
        """See :class:`Scorer`."""
        language_model = self._asked(memory.states.device)
        sources = len(memory.mask)
        nothing = memory.mask.new_full((sources, 1), SPECIAL_IDS.eos, dtype=torch.long)
        own = language_model.start(language_model.encode(nothing, torch.ones_like(nothing).bool()))
        if not self.internal_weight:
            return State(carry=(own,))
        empty = replace(
            memory,
            states=torch.zeros_like(memory.states),
            summary=torch.zeros_like(memory.summary),
        )
        return State(carry=(own, model.start(empty)))

    def __call__(
        self,
        tokens: Tensor,
        log_probs: Tensor,
        weights: Callable[[], Tensor] | None,
        state: State,
    ) -> tuple[Tensor, State]:
        """See :class:`Scorer`."""
        models = [self._asked(tokens.device)]
        if self.internal_weight:
            assert self._decoder is not None, "beside() comes first"
            models.append(self._decoder)
        total, after = log_probs, []
        for model, own, weight in zip(
            models, state.carry, (self.weight, -self.internal_weight), strict=False
        ):
            scores, own = model.step(tokens, own)  # (N, V)
            said = scores.log_softmax(-1, dtype=log_probs.dtype)
            total = total + weight * said.masked_fill(said == -torch.inf, 0.0)
            after.append(own)
        return total, State(carry=tuple(after))

    def _asked(self, device: torch.device) -> SequenceModel:
        """The language model, on a device."""
        assert self._language_model is not None, "with_model() comes first"
        if self._language_model.device != device:
            self._language_model.to(device)
        return self._language_model
