"""Outputs of a minimum length."""

import torch
from torch import Tensor

from tandem.core.types import SPECIAL_IDS
from tandem.search.options import checked_count
from tandem.search.rules.base import Rule


class MinLength(Rule):
    """``eos`` comes after at least so many symbols, unless a row cannot go on in any other way.

    :param least: at least 1.
    """

    last = True

    def __init__(self, *, least: int) -> None:
        self.least = checked_count("rule.min_length.least", least, least=1)

    def __call__(self, scores: Tensor, history: Tensor) -> Tensor:
        """Forbid ``eos`` while the row is short."""
        if history.size(1) >= self.least:
            return scores
        longer = scores.clone()
        longer[:, SPECIAL_IDS.eos] = -torch.inf
        stuck = longer.max(1, keepdim=True).values == -torch.inf  # (N, 1)
        return torch.where(stuck, scores, longer)
