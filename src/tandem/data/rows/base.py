"""What every way of storing rows yields, and how its rows are read from any position on."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, final

from tandem.core.errors import InputError
from tandem.data.fingerprints import Fingerprint, file_fingerprint

Column: TypeAlias = str | int
"""A column by its name, or by its number from 0 on where columns have none."""
Offset: TypeAlias = tuple[int, ...]
"""Where a file goes on: bytes, lines or rows, as its reader likes; empty at its start."""


@dataclass(slots=True)  # made faster than a NamedTuple, and there are millions
class Record:
    """One row as it is stored; what its columns mean is not decided here."""

    place: str
    """For example ``data/train.csv line 3``."""
    values: Mapping[Column, Any]
    """Texts, lists of texts or None by their columns; a number may stand for its digits."""


class RowFile(ABC):
    """Rows that are stored together: a file, or files of which line n is row n."""

    streamable: ClassVar[bool] = True
    """Whether it can be read from an offset on without reading all of it first."""

    @abstractmethod
    def read(self, start: Offset = ()) -> Iterator[tuple[Record | InputError, Offset]]:
        """Yield the rows from an offset on, each with the offset behind it.

        A row that is damaged is yielded as what is wrong with it.

        :raises InputError: if the file as a whole cannot be read.
        """

    @abstractmethod
    def fingerprints(self) -> dict[str, Fingerprint]:
        """What changes with its content, by the names of its files; cheap, so not the whole of it.

        :raises InputError: if a file cannot be read.
        """

    def records(self) -> Iterator[Record]:
        """Yield all rows.

        :raises InputError: also for a damaged row.
        """
        for record, _ in self.read():
            if isinstance(record, InputError):
                raise record
            yield record


@final
@dataclass(frozen=True)
class WholeFile(RowFile):
    """A file that a function reads as a whole; an offset is how many rows lie before."""

    streamable: ClassVar[bool] = False
    path: Path
    reader: Callable[[Path], Iterator[Record | InputError]]

    def read(self, start: Offset = ()) -> Iterator[tuple[Record | InputError, Offset]]:
        """See :class:`RowFile`."""
        (before,) = start or (0,)
        for number, record in enumerate(self.reader(self.path), start=1):
            if number > before:
                yield record, (number,)

    def fingerprints(self) -> dict[str, Fingerprint]:
        """See :class:`RowFile`."""
        return {str(self.path): file_fingerprint(self.path)}
