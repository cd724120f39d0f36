"""Many sequences of different lengths in two flat arrays."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

ROWS_AT_ONCE = 1000
"""Of so many rows there are lists, or places of their symbols, at a time."""


@dataclass(frozen=True)
class Ragged:
    """Rows of ids; a view into memory-mapped Arrow data where it comes from a file."""

    values: npt.NDArray[np.int32]
    """All rows, one behind the other."""
    offsets: npt.NDArray[np.int64]
    """Row i is ``values[offsets[i] : offsets[i + 1]]``."""

    @staticmethod
    def from_lists(rows: list[list[int]]) -> "Ragged":
        """Pack lists of ids."""
        lengths = np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
        values = np.fromiter((id_ for row in rows for id_ in row), np.int32, int(lengths.sum()))
        return Ragged(values, np.concatenate(([0], lengths.cumsum())))

    @staticmethod
    def joined(parts: list["Ragged"]) -> "Ragged":
        """The rows of all parts, one part behind the other."""
        lengths = np.concatenate([np.zeros(1, np.int64), *(part.lengths for part in parts)])
        values = np.concatenate([np.zeros(0, np.int32), *(part.values for part in parts)])
        return Ragged(values, lengths.cumsum())

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Length of each row."""
        return np.diff(self.offsets)

    def row(self, index: int) -> list[int]:
        """One row as a list."""
        return list(map(int, self.values[self.offsets[index] : self.offsets[index + 1]]))

    def lists(self) -> Iterator["list[int]"]:
        """All rows as lists, one after the other."""
        for start in range(0, len(self), ROWS_AT_ONCE):
            offsets = self.offsets[start : start + ROWS_AT_ONCE + 1].tolist()
            values = self.values[offsets[0] : offsets[-1]].tolist()
            for first, last in pairwise(offset - offsets[0] for offset in offsets):
                yield values[first:last]

    def lengths_of(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Lengths of some rows, without a look at all others."""
        lengths: npt.NDArray[np.int64] = self.offsets[rows + 1] - self.offsets[rows]
        return lengths

    def take(self, rows: npt.NDArray[np.int64]) -> "Ragged":
        """A copy of some rows."""
        lengths = self.lengths_of(rows)
        offsets = np.concatenate(([0], lengths.cumsum()))
        values = np.empty(offsets[-1], dtype=self.values.dtype)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            shifts = np.repeat(self.offsets[rows[some]] - offsets[:-1][some], lengths[some])
            first, end = offsets[start], offsets[start] + len(shifts)
            values[first:end] = self.values[np.arange(first, end) + shifts]
        return Ragged(values, offsets)

    def truncated(self, most: int) -> "Ragged":
        """A copy in which no row is longer than ``most``."""
        lengths = np.minimum(self.lengths, most)
        inner = np.arange(len(self.values)) - np.repeat(self.offsets[:-1], self.lengths)
        return Ragged(self.values[inner < most], np.concatenate(([0], lengths.cumsum())))

    def padded(
        self, rows: npt.NDArray[np.int64], *, before: int | None, after: int | None, pad: int
    ) -> tuple[Tensor, Tensor]:
        """Some rows side by side; no rows at all have one column.

        :param before: an id to put in front of each row, if any.
        :param after: an id to put behind each row, if any.
        :param pad: the id that fills up short rows.
        :return: ids (B, longest) and their mask.
        """
        first = int(before is not None)
        inner_lengths = self.lengths_of(rows)
        lengths = inner_lengths + first + int(after is not None)
        columns = np.arange(lengths.max(initial=1))
        mask = columns < lengths[:, None]  # (B, longest)
        ids = np.full(mask.shape, pad, dtype=np.int64)
        inner = (columns >= first) & (columns < first + inner_lengths[:, None])
        ids[inner] = self.take(rows).values
        if before is not None:
            ids[:, 0] = before
        if after is not None:
            ids[np.arange(len(rows)), lengths - 1] = after
        return torch.from_numpy(ids), torch.from_numpy(mask)
