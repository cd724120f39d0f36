"""From rows of bytes to pictures that a network can read."""

import torch
from torch import Tensor, nn

from tandem.core.errors import InputError

MIDDLE = 127.5
"""Half of the brightest byte: bytes become values between -1 and 1."""


def scaled(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Bytes as numbers between -1 and 1."""
    return values.to(dtype) / MIDDLE - 1


class Pixels(nn.Module):
    """Unpacks rows of pixels, scales them, and moves the picture a little in training.

    :param source_size: size of a row, given by the data.
    :param image_width: W, pixels in a row.
    :param channels: values of a pixel.
    :param shift: in training each picture is moved by at most so many pixels along each axis,
        where its edges repeat; 0 leaves it.
    """

    def __init__(self, *, source_size: int, image_width: int, channels: int, shift: int) -> None:
        super().__init__()
        if source_size != image_width * channels:
            raise InputError(
                f"The rows of pictures have {source_size} values, but `image_width` "
                f"({image_width}) times `channels` ({channels}) is "
                f"{image_width * channels}; let both follow `features`."
            )
        if shift < 0:
            raise InputError(f"`shift` of pictures must be at least 0, but is {shift}.")
        self.image_width = image_width
        self.channels = channels
        self.shift = shift

    def forward(self, source: Tensor, mask: Tensor, dtype: torch.dtype) -> Tensor:
        """Rows (B, S, W * channels), mask (B, S) -> pictures (B, S, W, channels)."""
        return scaled(self.pictures(source, mask), dtype)

    def pictures(self, rows: Tensor, mask: Tensor) -> Tensor:
        """Rows (B, S, W * channels), mask (B, S) -> pictures (B, S, W, channels)."""
        image = rows.view(*rows.shape[:2], self.image_width, self.channels)
        return self._moved(image, mask) if self.training and self.shift else image

    def _moved(self, image: Tensor, mask: Tensor) -> Tensor:
        """Take each pixel from another row and column, both within the picture."""
        batch, rows, width, _ = image.shape
        device = image.device
        steps = torch.randint(-self.shift, self.shift + 1, (2, batch, 1), device=device)
        last = mask.sum(1, keepdim=True) - 1  # (B, 1)
        down = (torch.arange(rows, device=device) + steps[0]).clamp(min=0).minimum(last)  # (B, S)
        across = (torch.arange(width, device=device) + steps[1]).clamp(0, width - 1)  # (B, W)
        pictures = torch.arange(batch, device=device)[:, None, None]
        return image[pictures, down[:, :, None], across[:, None, :]]  # (B, S, W, channels)
