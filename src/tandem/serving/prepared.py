"""Sources that were read when their requests came, as a reader that gives them back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self, final

import numpy as np
from torch import Tensor

from tandem.data.columns import Rows, SourceColumn
from tandem.data.features.base import Vectors
from tandem.data.readers import Preview, SourceReader
from tandem.data.readers.base import SplitSources
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.inference import Bundle

if TYPE_CHECKING:
    from datasets import Dataset


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


@final
class PreparedReader(SourceReader):
    """Answers the places of sources, ``0``, ``1`` and so on, with what was read of them."""

    def __init__(self, reader: SourceReader, columns: Sequence[SourceColumn]) -> None:
        self.reader, self.columns = reader, columns
        self.media, self.size, self.prompt = reader.media, reader.size, reader.prompt
        self.tokenizers = reader.tokenizers
        self.specials_before, self.specials_after = reader.specials_before, reader.specials_after
        self.positions_per_symbol = reader.positions_per_symbol

    def read(self, sources: list[str]) -> JoinedColumn:
        """See :class:`SourceReader`."""
        return JoinedColumn([self.columns[int(place)] for place in sources])

    def labels(self, positions: Vectors) -> list[str] | None:
        """See :class:`SourceReader`."""
        return self.reader.labels(positions)

    def preview(self, positions: Vectors) -> Preview:
        """See :class:`SourceReader`."""
        return self.reader.preview(positions)

    def check_lines(self, lines: list[str], *, most: int, first: int = 1) -> None:
        """See :class:`SourceReader`; they were checked when they were read."""

    def identity(self) -> str:
        """See :class:`SourceReader`."""
        return self.reader.identity()

    def read_split(
        self, split: "Dataset", name: str, *, training: bool, skip_bad: bool
    ) -> SplitSources:
        """It has no splits."""
        self._refuse()

    def to_bundle(self, folder: Path, *, shared: bool) -> dict[str, Any]:
        """It is written into none."""
        self._refuse()

    @classmethod
    def from_bundle(
        cls,
        options: dict[str, Any],
        *,
        open_file: Callable[[str], Path],
        build: Callable[[Any], Any],
        shared: Tokenizer | None,
    ) -> Self:
        """It comes from none."""
        raise NotImplementedError("what a request sent is in no bundle")

    def _refuse(self) -> NoReturn:
        raise NotImplementedError("it has what requests sent, and nothing else")


def with_sources(bundle: Bundle, columns: Sequence[SourceColumn]) -> tuple[Bundle, list[str]]:
    """The bundle that reads these columns, and what to call them as its sources."""
    reader = PreparedReader(bundle.processors.source, columns)
    prepared = replace(bundle, processors=replace(bundle.processors, source=reader))
    return prepared, [str(place) for place in range(len(columns))]
