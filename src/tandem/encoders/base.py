"""What every encoder promises."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from tandem.core.memory import Memory


class Encoder(nn.Module, ABC):
    """Reads the whole input; what stands at padded positions changes nothing."""

    output_size: int
    """M, size of the memory's states and of its summary."""

    @abstractmethod
    def forward(self, inputs: Tensor, mask: Tensor) -> Memory:
        """Inputs (B, S, E), mask (B, S) -> memory with states (B, S, M)."""
