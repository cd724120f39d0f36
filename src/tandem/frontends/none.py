"""No frontend: whatever the source is, the encoder reads the same single position."""

import torch
from torch import Tensor

from tandem.frontends.base import Frontend


class NoFrontend(Frontend):
    """Makes one position of size 1 that holds 0.

    :param source_size: unused by this type; every frontend is built with it.
    """

    media = "text"
    table = None
    zero: Tensor

    def __init__(self, *, source_size: int) -> None:
        super().__init__()
        self.register_buffer("zero", torch.zeros(1, 1, 1), persistent=False)
        self.output_size = 1

    def forward(self, source: Tensor, source_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Source and mask (B, S) -> zeros (B, 1, 1), a mask (B, 1) of True."""
        first = source_mask[:, :1]
        return self.zero * first.unsqueeze(2), first
