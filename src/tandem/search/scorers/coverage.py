"""Outputs should look at every part of the source: Wu et al. (2016), section 7."""

from collections.abc import Callable

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.precision import wide_type
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS
from tandem.models.sequence_model import SequenceModel
from tandem.search.options import in_range
from tandem.search.scorers.base import Scorer

LEAST = 0.01
"""A position's attention is counted as at least so much, since log 0 would rule outputs out."""


class CoveragePenalty(Scorer):
    """Adds ``penalty * sum_i log(min(sum_j p_ij, 1))`` to an output when it ends: eq. 15.

    p_ij is how much output symbol j, ``eos`` included, attends to source position i. Unlike in
    eq. 14 the sum counts before the length penalty, so that penalty divides it as well; an output
    that ``max_length`` cuts off has no such term.

    :param penalty: the paper's beta.
    """

    def __init__(self, *, penalty: float) -> None:
        if not in_range(penalty, 0, 100):
            raise InputError(
                f"`scorer.coverage.penalty` must be from 0 to 100, but is {penalty!r}."
            )
        self.penalty = penalty

    def check(self, model: SequenceModel) -> None:
        """See :class:`Scorer`."""
        if not model.has_weights:
            raise _refusal()

    def start(self, model: SequenceModel, memory: Memory) -> State:
        """No attention (B, S) yet, in float32 or wider, as it is summed."""
        dtype = wide_type(memory.states.dtype)
        return State(fixed=memory.mask, carry=torch.zeros_like(memory.mask, dtype=dtype))

    def __call__(
        self,
        tokens: Tensor,
        log_probs: Tensor,
        weights: Callable[[], Tensor] | None,
        state: State,
    ) -> tuple[Tensor, State]:
        """See :class:`Scorer`; the score of ``eos`` is lowered."""
        if weights is None:
            raise _refusal()
        attended = state.carry + weights()  # (N, S)
        real = state.fixed.repeat_interleave(len(tokens) // len(state.fixed), 0)  # (N, S)
        covered = attended.clamp(LEAST, 1.0).log().masked_fill(~real, 0.0).sum(1)  # (N,)
        lowered = log_probs.clone()
        lowered[:, SPECIAL_IDS.eos] += self.penalty * covered
        return lowered, State(state.fixed, carry=attended)


def _refusal() -> InputError:
    return InputError(
        "scorer=coverage needs attention weights, which this model's attention does not have; "
        "choose another attention or leave this scorer out."
    )
