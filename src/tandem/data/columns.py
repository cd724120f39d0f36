"""The source side of a split: rows of ids or of vectors, and how they become a batch."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tandem.core.types import SPECIAL_IDS
from tandem.data.features.base import Vectors
from tandem.data.ragged import Ragged

Rows = npt.NDArray[np.int64]


class SourceColumn(Protocol):
    """Sources of all examples of a split."""

    @property
    def lengths(self) -> Rows:
        """Symbols (without special ones) or vectors of each source."""

    @property
    def padded_lengths(self) -> Rows:
        """What each source takes up in a batch."""

    @property
    def identities(self) -> Rows:
        """A number for each source; what has the same number is the same source."""

    def take(self, rows: Rows) -> "SourceColumn":
        """The same with some rows only."""

    def batch(self, rows: Rows) -> tuple[Tensor, Tensor]:
        """Some rows side by side, padded with zeros, and their mask (B, S)."""


@dataclass(frozen=True)
class TextColumn:
    """Sources that are text."""

    ids: Ragged
    before: int | None
    """The id in front of each source, if any."""
    after: int | None
    """The id behind each source, if any."""

    @property
    def lengths(self) -> Rows:
        """Symbols of each source, without the special ones at its ends."""
        return self.ids.lengths

    @property
    def padded_lengths(self) -> Rows:
        """Symbols with the special ones."""
        return self.ids.lengths + (self.before is not None) + (self.after is not None)

    @property
    def identities(self) -> Rows:
        """Each source counts as another one."""
        return np.arange(len(self.ids))

    def take(self, rows: Rows) -> "TextColumn":
        """See :class:`SourceColumn`."""
        return replace(self, ids=self.ids.take(rows))

    def batch(self, rows: Rows) -> tuple[Tensor, Tensor]:
        """Ids (B, S) with the special ones."""
        return self.ids.padded(rows, before=self.before, after=self.after, pad=SPECIAL_IDS.pad)


@dataclass(frozen=True)
class VectorColumn:
    """Sources that are pictures or recordings, as vectors that lie in a file."""

    values: Vectors
    """(total, width) all sources, one behind the other."""
    offsets: Rows
    """Source i is ``values[offsets[i] : offsets[i + 1]]``."""
    chosen: Rows
    """The sources that this column has, by their places in the file."""

    @property
    def lengths(self) -> Rows:
        """Vectors of each source."""
        return self.offsets[self.chosen + 1] - self.offsets[self.chosen]

    @property
    def padded_lengths(self) -> Rows:
        """Vectors of each source."""
        return self.lengths

    @property
    def identities(self) -> Rows:
        """Examples with equal files share their vectors."""
        return self.chosen

    def take(self, rows: Rows) -> "VectorColumn":
        """See :class:`SourceColumn`; the vectors stay where they are."""
        return VectorColumn(self.values, self.offsets, self.chosen[rows])

    def row(self, index: int) -> Vectors:
        """(L, width) of one source."""
        place = self.chosen[index]
        return self.values[self.offsets[place] : self.offsets[place + 1]]

    def batch(self, rows: Rows) -> tuple[Tensor, Tensor]:
        """Vectors (B, S, width), uint8 or float32."""
        lengths = self.lengths[rows]
        longest = lengths.max(initial=1)
        kind = np.uint8 if self.values.dtype == np.uint8 else np.float32
        padded = np.zeros((len(rows), longest, self.values.shape[1]), dtype=kind)
        for place, index in enumerate(rows):
            padded[place, : lengths[place]] = self.row(index)
        mask = np.arange(longest) < lengths[:, None]
        return torch.from_numpy(padded), torch.from_numpy(mask)
