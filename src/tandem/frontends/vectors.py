"""Vectors as they are, for an encoder that makes all of them itself."""

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.frontends.base import Frontend
from tandem.layers.pixels import scaled

MEDIA = ("image", "audio")


class VectorFrontend(Frontend):
    """Passes on what the features have made of a file: rows of pixels, or frames of a recording.

    Bytes become numbers between -1 and 1.

    :param source_size: E, size of a vector, given by the data.
    :param media: what the encoder reads: image or audio.
    """

    table = None
    precision: Tensor

    def __init__(self, *, source_size: int, media: str) -> None:
        super().__init__()
        if media not in MEDIA:
            raise InputError(
                f"`frontend.media` must be one of {', '.join(MEDIA)}, but is {media!r}."
            )
        self.media = media
        self.output_size = source_size
        self.register_buffer("precision", torch.empty(0), persistent=False)  # that of the model

    def grid(self, rows: int) -> tuple[int, int]:
        """Each row of pixels is one position."""
        return rows, 1

    def forward(self, source: Tensor, source_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (B, S, E), as bytes or numbers, and mask (B, S) -> numbers, the same mask."""
        dtype = self.precision.dtype
        numbers = scaled(source, dtype) if source.dtype == torch.uint8 else source.to(dtype)
        return numbers, source_mask
