"""What every bridge promises."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Bridge(nn.Module, ABC):
    """Turns the encoder's summary into the initial state of a recurrent decoder."""

    @abstractmethod
    def forward(self, summary: Tensor) -> Tensor:
        """Summary (B, M) -> (B, slots, H), one vector for each layer's hidden (and cell)."""
