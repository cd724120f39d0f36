"""No encoder: a decoder behind it writes from what it has written alone, as a language model."""

from torch import Tensor

from tandem.core.memory import Memory
from tandem.encoders.base import Encoder


class NoEncoder(Encoder):
    """Passes on what the frontend made; the summary is the first position.

    :param input_size: size E of the inputs, given by the builder.
    """

    def __init__(self, *, input_size: int) -> None:
        super().__init__()
        self.output_size = input_size

    def forward(self, inputs: Tensor, mask: Tensor) -> Memory:
        """Inputs (B, S, E), mask (B, S) -> memory with states (B, S, E)."""
        return Memory(inputs, mask, inputs[:, 0])
