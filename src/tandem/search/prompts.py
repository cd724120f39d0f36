"""Outputs that go on from a beginning of each source's own."""

from dataclasses import replace

import torch
from torch import Tensor

from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS
from tandem.search.base import Step


def begin_with(step: Step, state: State, prompts: Tensor) -> tuple[Step, State]:
    """The same step and state for any search, whose outputs begin with prompts.

    A prompt's symbols are certain, so that the score of an output is that of what follows them.

    :param state: before the first symbol.
    :param prompts: (B, P) ids for each source, with ``pad`` behind the shorter ones.
    """

    def scores(tokens: Tensor, state: State) -> tuple[Tensor, State]:
        position, own = state.carry
        said, own = step.scores(tokens, own)  # (N, V)
        if position < state.fixed.size(1):
            symbols = state.fixed[:, position].repeat_interleave(len(tokens) // len(state.fixed))
            certain = torch.full_like(said, -torch.inf).scatter_(1, symbols.unsqueeze(1), 0.0)
            said = torch.where((symbols == SPECIAL_IDS.pad).unsqueeze(1), said, certain)
        return said, State(state.fixed, carry=(position + 1, own))

    return replace(step, scores=scores), State(fixed=prompts, carry=(0, state))
