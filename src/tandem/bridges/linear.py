"""A trained map from summary to initial state: Bahdanau et al. (2015), section A.2.2."""

import torch
from torch import Tensor, nn

from tandem.bridges.base import Bridge


class LinearBridge(Bridge):
    """``tanh(W summary + b)``, a row of W for each number of the state.

    :param memory_size: M, given by the decoder.
    :param slots: vectors of state, given by the decoder.
    :param hidden_size: H, given by the decoder.
    """

    def __init__(self, *, memory_size: int, slots: int, hidden_size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(memory_size, slots * hidden_size)
        self.slots = slots

    def forward(self, summary: Tensor) -> Tensor:
        """Summary (B, M) -> (B, slots, H)."""
        return torch.tanh(self.linear(summary)).view(summary.size(0), self.slots, -1)
