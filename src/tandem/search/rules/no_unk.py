"""No unknown symbol."""

import torch
from torch import Tensor

from tandem.core.types import SPECIAL_IDS
from tandem.search.rules.base import Rule


class NoUnk(Rule):
    """No output contains ``<unk>``, which stands for what training saw too seldom to learn."""

    def __call__(self, scores: Tensor, history: Tensor) -> Tensor:
        """Forbid ``unk``."""
        symbol = torch.tensor([SPECIAL_IDS.unk], device=scores.device)
        return scores.index_fill(1, symbol, -torch.inf)
