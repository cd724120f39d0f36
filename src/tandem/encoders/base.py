"""What every encoder promises."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from tandem.core.memory import Memory


class Encoder(nn.Module, ABC):
    """Reads the whole input; what stands at padded positions changes nothing."""

    output_size: int
    """M, size of the memory's states and of its summary."""

    reverse: bool = False
    """Whether its layers read from the last position to the first, and only so."""

    max_length: int | None = None
    """Most positions that its inputs may have, if its structure is somebody else's; None: there is
    no such limit."""

    @property
    def layer_outputs(self) -> list[nn.Module]:
        """A module for each layer, in order, that a pass calls once and that returns the states
        (B, S, H) after that layer; none: the layers are no such modules.
        """
        return []

    def grid(self, rows: int, columns: int) -> tuple[int, int]:
        """Rows and columns of the memory's positions, where those of the inputs are so many;
        pictures only.
        """
        return rows, columns

    @abstractmethod
    def forward(self, inputs: Tensor, mask: Tensor) -> Memory:
        """Inputs (B, S, E), mask (B, S) -> memory with states (B, S, M)."""
