"""Pictures through a small residual network of convolutions."""

import torch.nn.functional as F
from torch import Tensor, nn

from tandem.core.errors import InputError
from tandem.frontends.base import Frontend
from tandem.layers.dropout import Dropout
from tandem.layers.pixels import Pixels
from tandem.layers.positions_2d import added_positions_2d


class CNNStemFrontend(Frontend):
    """Stages of 3 x 3 convolutions, each of which halves the picture's sides, then positions.

    A stage is one convolution with stride 2 and residual blocks in the order of He et al. (2016,
    "Identity mappings"): norm, activation, convolution, twice. The norm is over the channels of
    each place alone (Liu et al. 2022, section 2.6), so that padding stays invisible, which it
    would not under norms over batch or picture. The places of the last stage come row by row,
    scaled by ``E ** -0.5`` to the size of embeddings, from which encoders start.

    :param source_size: size of a row of pixels, given by the data.
    :param embedding_size: E, size of the vectors.
    :param image_height: rows of pixels of a picture.
    :param image_width: pixels in a row.
    :param channels: values of a pixel.
    :param stage_sizes: channels of each stage; n stages make a grid of ``1 / 2 ** n`` of the sides.
    :param num_blocks: residual blocks in each stage.
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
        stage_sizes: list[int],
        num_blocks: int,
        positions: str,
        shift: int,
        dropout: float,
    ) -> None:
        super().__init__()
        if not stage_sizes or min(stage_sizes) < 1:
            raise InputError(
                "`frontend.stage_sizes` must list the channels of at least one stage, each at "
                f"least 1, but is {list(stage_sizes)}."
            )
        self.output_size = embedding_size
        self.num_stages = len(stage_sizes)
        self.pixels = Pixels(
            source_size=source_size, image_width=image_width, channels=channels, shift=shift
        )
        self.stages = nn.ModuleList(
            _Stage(before, size, num_blocks)
            for before, size in zip([channels, *stage_sizes], stage_sizes, strict=False)
        )
        self.norm = nn.LayerNorm(stage_sizes[-1])
        self.projection = nn.Linear(stage_sizes[-1], embedding_size)
        self.positions = added_positions_2d(positions, embedding_size, *self.grid(image_height))
        self.dropout = Dropout(dropout)
        self.scale = embedding_size**-0.5

    def grid(self, rows: int) -> tuple[int, int]:
        """Rows and columns of places for so many rows of pixels."""
        stride = 2**self.num_stages
        rows, columns = rows + stride - 1, self.pixels.image_width + stride - 1  # to be rounded up
        return rows // stride, columns // stride

    def forward(self, source: Tensor, source_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of pixels (B, S, W) -> inputs (B, R * C, E), mask (B, R * C)."""
        mask = source_mask
        pictures = self.pixels(source, mask, self.projection.weight.dtype)
        states = pictures.permute(0, 3, 1, 2)  # (B, channels, S, W), channels last in memory
        for stage in self.stages:
            states = _zero_rows(states, mask)
            mask = mask[:, ::2]  # (B, R) an output is as real as the middle of what it sees
            states = stage(states, mask)  # (B, H, R, C)
        vectors = self.projection(self.norm(states.permute(0, 2, 3, 1)))  # (B, R, C, E)
        columns = vectors.size(2)
        vectors = self.dropout(self.positions(vectors) * self.scale)
        return vectors.flatten(1, 2), mask.repeat_interleave(columns, dim=1)


class _Stage(nn.Module):
    """Half the sides, other channels."""

    def __init__(self, input_size: int, size: int, num_blocks: int) -> None:
        super().__init__()
        self.shrink = nn.Conv2d(input_size, size, kernel_size=3, stride=2, padding=1)
        self.blocks = nn.ModuleList(_Block(size) for _ in range(num_blocks))

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """(B, H, R, C), whose padding is 0, and the result's mask -> the same at half the sides."""
        states = self.shrink(states)
        for block in self.blocks:
            states = block(states, mask)
        return states


class _Block(nn.Module):
    """Two convolutions beside which the states pass unchanged."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(2))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(size, size, kernel_size=3, padding=1) for _ in range(2)
        )

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """(B, H, R, C) -> the same shape."""
        changed = states
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            normed = norm(changed.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            changed = convolution(_zero_rows(F.relu(normed), mask))
        return states + changed


def _zero_rows(states: Tensor, mask: Tensor) -> Tensor:
    """States (B, H, R, C) with zeros in the rows that the mask (B, R) leaves out."""
    return states.masked_fill(~mask[:, None, :, None], 0.0)
