"""Where the rows of each split are stored: files of one kind, or files side by side."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, final

from tandem.data.locate import contents, find_files, paired, split_files, split_names
from tandem.data.rows import Column, RowFile
from tandem.data.rows.side_by_side import SideBySide
from tandem.data.text_columns import TextColumns


class SplitRows(NamedTuple):
    """The rows of one split, and what their columns mean."""

    files: Sequence[RowFile]
    columns: TextColumns


class Layout(ABC):
    """Where the rows of each split are stored."""

    columns: TextColumns

    @property
    @abstractmethod
    def where(self) -> str:
        """Where splits are looked for, and what is there, for errors."""

    @abstractmethod
    def names(self) -> list[str]:
        """What could be a split."""

    @abstractmethod
    def has(self, name: str) -> bool:
        """Whether there is a split of this name, which may be a path or a pattern."""

    @abstractmethod
    def open(self, split: str, name: str) -> SplitRows:
        """Return the rows of a split.

        :param split: train, validation or test.
        :raises InputError: if there is nothing of this name.
        """


@final
@dataclass(frozen=True)
class FileLayout(Layout):
    """Files that hold whole rows, one or several shards for each split."""

    folder: Path
    only: str | None
    """The only file that ``auto`` considers; None: all that are there."""
    endings: Sequence[Sequence[str]]
    """How names of files end that ``auto`` considers, the first ones of which there are any."""
    columns: TextColumns
    open_file: Callable[[Path], RowFile]

    @property
    def where(self) -> str:
        """See :class:`Layout`."""
        endings = ", ".join(f"*{ending}" for endings in self.endings for ending in endings)
        return f"the folder {self.folder} ({endings}), which has {contents(self.folder)}"

    def names(self) -> list[str]:
        """See :class:`Layout`."""
        if self.only is not None:
            return [self.only]
        found = (split_names(self.folder, some, with_ending=True) for some in self.endings)
        return next((names for names in found if names), [])

    def has(self, name: str) -> bool:
        """See :class:`Layout`."""
        return bool(find_files(self.folder, name))

    def open(self, split: str, name: str) -> SplitRows:
        """See :class:`Layout`."""
        files = split_files(self.folder, split, name)
        return SplitRows([self.open_file(path) for path in files.values()], self.columns)


@final
@dataclass(frozen=True)
class SideBySideLayout(Layout):
    """Files of lines, one for each column, whose names end with the names of the columns.

    Held-out splits may lack the target if they have references, and training may lack these.
    """

    folder: Path
    columns: TextColumns

    @property
    def where(self) -> str:
        """See :class:`Layout`."""
        endings = " and ".join(f"*.{ending}" for ending in self._sides(self.columns))
        return f"the folder {self.folder} (files {endings}), which has {contents(self.folder)}"

    def names(self) -> list[str]:
        """See :class:`Layout`."""
        stems = split_names(self.folder, [f".{self.columns.source}"], with_ending=False)
        return [stem for stem in stems if all(self._files(stem).values())]

    def has(self, name: str) -> bool:
        """See :class:`Layout`; its source alone is refused when it is opened."""
        return bool(find_files(self.folder, name, f".{self.columns.source}"))

    def open(self, split: str, name: str) -> SplitRows:
        """See :class:`Layout`."""
        columns = self._fitting(name)
        sides = self._sides(columns)
        files = [split_files(self.folder, split, name, f".{side}") for side in sides]
        return SplitRows(
            [
                SideBySide(dict(zip(sides, paths, strict=True)))
                for paths in paired(files, [str(side) for side in sides])
            ],
            columns,
        )

    def _files(self, name: str) -> dict[Column, dict[str | int, Path]]:
        sides = self._sides(self._fitting(name))
        return {side: find_files(self.folder, name, f".{side}") for side in sides}

    def _sides(self, columns: TextColumns) -> list[Column]:
        return list(dict.fromkeys(columns.all.values()))

    def _fitting(self, name: str) -> TextColumns:
        """Return the columns without references, or without a target, that have no files."""
        columns = self.columns
        if columns.target is None or not columns.reference_columns:
            return columns
        if not find_files(self.folder, name, f".{columns.target}"):
            return replace(columns, target=None)
        if not any(find_files(self.folder, name, f".{side}") for side in columns.reference_columns):
            return replace(columns, references=None)
        return columns
