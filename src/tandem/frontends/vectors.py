"""Vectors as they are, for an encoder that makes all of them itself."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.frontends.base import Frontend
from tandem.layers.pixels import scaled

MEDIA = ("image", "audio")


class VectorFrontend(Frontend):
    """Passes on what the features have made of a file: rows of pixels, or frames of a recording.

    Bytes become numbers between -1 and 1, or what the network was trained with.

    :param source_size: E, size of a vector, given by the data.
    :param media: what the encoder reads: image or audio.
    :param mean: of each channel, for pixels between 0 and 1: it is subtracted ...
    :param std: ... and by this each channel is divided; None: both are one half.
    """

    table = None
    precision: Tensor
    middle: Tensor
    scale: Tensor

    def __init__(
        self,
        *,
        source_size: int,
        media: str,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if media not in MEDIA:
            raise InputError(
                f"`frontend.media` must be one of {', '.join(MEDIA)}, but is {media!r}."
            )
        self.media = media
        self.output_size = source_size
        means, stds = [*(mean or [0.5])], [*(std or [0.5])]
        if len(means) != len(stds) or source_size % len(means) or min(stds) <= 0:
            raise InputError(
                "`frontend.mean` and `frontend.std` must have a number for each channel, std "
                f"above 0, but are {means} and {stds}, where rows of pixels have {source_size} "
                "values."
            )
        times = source_size // len(means)
        self.register_buffer("middle", 2 * torch.tensor(means * times) - 1, persistent=False)
        self.register_buffer("scale", 2 * torch.tensor(stds * times), persistent=False)
        self.register_buffer("precision", torch.empty(0), persistent=False)  # that of the model

    def grid(self, rows: int) -> tuple[int, int]:
        """Each row of pixels is one position."""
        return rows, 1

    def forward(self, source: Tensor, source_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (B, S, E), as bytes or numbers, and mask (B, S) -> numbers, the same mask."""
        dtype = self.precision.dtype
        if source.dtype != torch.uint8:
            return source.to(dtype), source_mask
        return (scaled(source, dtype) - self.middle) / self.scale, source_mask
