"""An initial state that knows nothing of the source."""

from torch import Tensor

from tandem.bridges.base import Bridge


class ZerosBridge(Bridge):
    """Starts from zeros; the source reaches the decoder by attention alone.

    :param memory_size: unused by this type; every bridge is built with the same three sizes.
    :param slots: vectors of state, given by the decoder.
    :param hidden_size: H, given by the decoder.
    """

    def __init__(self, *, memory_size: int, slots: int, hidden_size: int) -> None:
        super().__init__()
        self.shape = (slots, hidden_size)

    def forward(self, summary: Tensor) -> Tensor:
        """Summary (B, M) -> (B, slots, H)."""
        return summary.new_zeros(summary.size(0), *self.shape)
