"""Sources of several requests, each read when its request came, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from tandem.data.columns import Rows, SourceColumn


@dataclass(frozen=True)
class JoinedColumn:
    """Columns of one source each, side by side."""

    columns: Sequence[SourceColumn]

    @property
    def lengths(self) -> Rows:
        """See :class:`SourceColumn`."""
        return np.array([column.lengths[0] for column in self.columns], dtype=np.int64)

    @property
    def padded_lengths(self) -> Rows:
        """See :class:`SourceColumn`."""
        return np.array([column.padded_lengths[0] for column in self.columns], dtype=np.int64)

    @property
    def identities(self) -> Rows:
        """See :class:`SourceColumn`."""
        return np.arange(len(self.columns))

    def take(self, rows: Rows) -> "JoinedColumn":
        """See :class:`SourceColumn`."""
        return JoinedColumn([self.columns[row] for row in rows])

    def batch(self, rows: Rows) -> tuple[Tensor, Tensor]:
        """See :class:`SourceColumn`."""
        sources, masks = zip(*(self.columns[row].batch(np.array([0])) for row in rows), strict=True)
        return _side_by_side(sources), _side_by_side(masks)


def _side_by_side(tensors: Sequence[Tensor]) -> Tensor:
    """(1, S_i, ...) each -> (B, S, ...), padded with zeros."""
    longest = max(tensor.size(1) for tensor in tensors)
    joined = tensors[0].new_zeros((len(tensors), longest, *tensors[0].shape[2:]))
    for row, tensor in enumerate(tensors):
        joined[row, : tensor.size(1)] = tensor[0]
    return joined
