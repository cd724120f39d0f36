"""Where on a grid, such as that of a picture, a vector stands."""

import torch
from torch import Tensor, nn

from tandem.core.errors import InputError
from tandem.layers.positions import Angles

KINDS_2D = ("sinusoidal", "learned", "none")


class SinusoidalPositions2d(nn.Module):
    """Adds sin and cos of row and column: Vaswani et al. (2017), section 3.5, on two axes.

    The first half of the vector tells the row and the second the column, as in Parmar et al.
    (2018), section 3.2.

    :param size: E, divisible by 4.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        if size % 4:
            raise InputError(
                "Sinusoidal positions on two axes need vectors whose size is divisible by 4, but "
                f"theirs is {size}; change it or set `positions` to learned."
            )
        self.angles = Angles(size // 2)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, R, C, E) -> the same shape."""
        _, rows, columns, _ = inputs.shape
        down = self._table(rows).unsqueeze(1).expand(-1, columns, -1)  # (R, C, E / 2)
        across = self._table(columns).unsqueeze(0).expand(rows, -1, -1)  # (R, C, E / 2)
        return inputs + torch.cat((down, across), dim=-1).to(inputs.dtype)

    def _table(self, length: int) -> Tensor:
        """One axis: (length, E / 2)."""
        angles = self.angles(0, length)  # (length, E / 4)
        return torch.cat((angles.sin(), angles.cos()), dim=1)


class LearnedPositions2d(nn.Module):
    """Adds a trained vector for each row and one for each column.

    Dosovitskiy et al. (2021), appendix D.4, find such tables on two axes as good as one trained
    vector for each place; these grow with the sides of a picture instead of with its area.

    :param size: E.
    :param rows: most rows.
    :param columns: columns.
    """

    def __init__(self, size: int, rows: int, columns: int) -> None:
        super().__init__()
        self.rows = nn.Embedding(rows, size)
        self.columns = nn.Embedding(columns, size)
        for table in (self.rows, self.columns):
            nn.init.normal_(table.weight, std=0.5**0.5)  # the sum has unit variance

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, R, C, E) -> the same shape."""
        _, rows, columns, _ = inputs.shape
        if torch.compiler.is_exporting():  # for any number of rows
            steps = torch.arange(rows, device=inputs.device)
            return inputs + self.rows(steps).unsqueeze(1) + self.columns.weight[:columns]
        if rows > self.rows.num_embeddings:
            raise InputError(
                f"A grid of {rows} rows is higher than the {self.rows.num_embeddings} rows of the "
                "learned positions; use pictures of `frontend.image_height`, or train with "
                "frontend.positions=sinusoidal."
            )
        return inputs + self.rows.weight[:rows, None] + self.columns.weight[:columns]


def added_positions_2d(kind: str, size: int, rows: int, columns: int) -> nn.Module:
    """Make the module that adds positions to a grid of vectors (B, R, C, E).

    :param kind: sinusoidal, learned or none.
    :param size: E.
    :param rows: most rows of learned positions.
    :param columns: columns of learned positions.
    :raises InputError: if the kind is unknown.
    """
    if kind not in KINDS_2D:
        raise InputError(
            f"`positions` of a picture must be one of {', '.join(KINDS_2D)}, but is {kind!r}."
        )
    if kind == "sinusoidal":
        return SinusoidalPositions2d(size)
    if kind == "learned":
        return LearnedPositions2d(size, rows, columns)
    return nn.Identity()
