"""Pictures as patches: Dosovitskiy et al. (2021), section 3.1."""

import torch.nn.functional as F
from torch import Tensor, nn

from tandem.core.errors import InputError
from tandem.frontends.base import Frontend
from tandem.layers.dropout import Dropout
from tandem.layers.pixels import Pixels
from tandem.layers.positions_2d import added_positions_2d


class PatchFrontend(Frontend):
    """Cuts a picture into squares and maps each, by one linear map, to a vector with its position.

    Squares come row by row; those at the lower and right edges are filled up with zeros. The
    vectors are scaled by ``E ** -0.5`` to the size of embeddings, from which encoders start.
    Unlike the paper there is no class symbol: encoders make their own summary.

    :param source_size: size of a row of pixels, given by the data.
    :param embedding_size: E, size of a patch's vector.
    :param image_height: rows of pixels of a picture.
    :param image_width: pixels in a row.
    :param channels: values of a pixel.
    :param patch_size: P, pixels along a side of a square.
    :param positions: sinusoidal, learned or none.
    :param shift: in training each picture is moved by at most so many pixels; 0: not at all.
    :param dropout: probability on the vectors.
    """

    media = "image"
    table = None

    def __init__(
        self,
        *,
        source_size: int,
        embedding_size: int,
        image_height: int,
        image_width: int,
        channels: int,
        patch_size: int,
        positions: str,
        shift: int,
        dropout: float,
    ) -> None:
        super().__init__()
        if not 1 <= patch_size <= min(image_height, image_width):
            raise InputError(
                f"`frontend.patch_size` ({patch_size}) must be at least 1 and at most the shorter "
                f"side of the pictures, which are {image_height} x {image_width} pixels."
            )
        self.output_size = embedding_size
        self.patch_size = patch_size
        self.pixels = Pixels(
            source_size=source_size, image_width=image_width, channels=channels, shift=shift
        )
        self.projection = nn.Linear(patch_size**2 * channels, embedding_size)
        self.positions = added_positions_2d(positions, embedding_size, *self.grid(image_height))
        self.dropout = Dropout(dropout)
        self.scale = embedding_size**-0.5

    def grid(self, rows: int) -> tuple[int, int]:
        """Rows and columns of squares for so many rows of pixels."""
        size = self.patch_size
        rows, columns = rows + size - 1, self.pixels.image_width + size - 1  # to be rounded up
        return rows // size, columns // size

    def forward(self, source: Tensor, source_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of pixels (B, S, W) -> inputs (B, R * C, E), mask (B, R * C)."""
        batch, length, _ = source.shape
        size = self.patch_size
        rows, columns = self.grid(length)
        below, right = rows * size - length, columns * size - self.pixels.image_width
        image = self.pixels(source, source_mask, self.projection.weight.dtype)
        image = image.masked_fill(~source_mask[:, :, None, None], 0.0)
        image = F.pad(image, (0, 0, 0, right, 0, below))  # (B, R * P, C * P, channels)
        cut = image.view(batch, rows, size, columns, size, -1).transpose(2, 3)
        patches = self.projection(cut.flatten(3))  # (B, R, C, E)
        vectors = self.dropout(self.positions(patches) * self.scale)
        mask = F.pad(source_mask, (0, below)).view(batch, rows, size).any(2)  # (B, R)
        return vectors.flatten(1, 2), mask.repeat_interleave(columns, dim=1)
