"""The summary itself as initial state: Sutskever et al. (2014), section 2."""

from torch import Tensor

from tandem.bridges.base import Bridge
from tandem.core.errors import InputError


class CopyBridge(Bridge):
    """Puts the summary into every layer's hidden (and cell), without parameters.

    :param memory_size: M, given by the decoder.
    :param slots: vectors of state, given by the decoder.
    :param hidden_size: H, given by the decoder; must equal M.
    :raises InputError: if the sizes differ.
    """

    def __init__(self, *, memory_size: int, slots: int, hidden_size: int) -> None:
        super().__init__()
        if memory_size != hidden_size:
            raise InputError(
                "bridge=copy needs a decoder as large as the encoder's summary, but they have "
                f"sizes {hidden_size} and {memory_size}; set decoder.hidden_size and "
                "encoder.hidden_size to the same value or use bridge=linear."
            )
        self.slots = slots

    def forward(self, summary: Tensor) -> Tensor:
        """Summary (B, H) -> (B, slots, H)."""
        return summary.unsqueeze(1).expand(-1, self.slots, -1)
