"""What the columns of rows about files mean: pictures or recordings, and their texts."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from tandem.core.errors import InputError
from tandem.data.rows import Column, Record
from tandem.data.segments import with_segment
from tandem.data.splitting import AUTO, HELD_OUT, TRAIN
from tandem.data.text_columns import find_value

SPEAKERS = ("speaker", "speaker_id", "spk_id", "client_id")
"""Columns that name the speaker, the first of which that is there counts with ``auto``."""
PLACEHOLDER = re.compile(r"(\$\w+|\$?\{\w+\})/+")
"""Stands for the set's folder at the start of a path, as in SpeechBrain's ``$data_root/a.wav``."""

Columns: TypeAlias = Column | Sequence[Column]


@dataclass(frozen=True)
class FileEntry:
    """A picture, a recording or a part of one, with what is said about it."""

    file: Path
    texts: list[str]
    """One or more acceptable outputs."""
    place: str
    """For example ``data/train/metadata.csv line 3``."""
    begin: float | None = None
    """Seconds; None: the recording's start."""
    duration: float | None = None
    """Seconds; None: up to the recording's end."""
    group: str = ""
    """Entries for which it is equal stay in one split; empty: those with equal files."""
    split: str = ""
    """The name of its split, if a column or the path in its row says so."""

    @property
    def source(self) -> str:
        """The path, with the part that is meant behind it."""
        return with_segment(self.file, self.begin, self.duration)


@dataclass(frozen=True, kw_only=True)
class FileColumns:
    """Turns rows into entries of files and texts."""

    file: Column
    target: Columns
    """A column of texts or of lists of texts, or several."""
    group: Column | None = None
    """None: there is none; ``auto``: the speaker, if a column of :data:`SPEAKERS` is there."""
    split: Column | None = None
    """The column whose values name the split of each row; None: the first folder of a path may."""
    ending: str = ""
    """Appended to the names of files that do not end so; empty: nothing."""
    strip: bool = False
    """Whether whitespace at the ends of texts is removed."""
    lowercase: bool = False
    """Whether texts are lowercased."""
    begin: Column | None = None
    """Seconds at which a part of a recording begins; a row without it means the whole."""
    duration: Column | None = None
    """Seconds that the part takes."""
    fixed: bool = False
    """Whether the set decides about the columns, so that no option can name others."""

    def __post_init__(self) -> None:
        if not self.targets:
            raise InputError("dataset.target must name at least one column, but is empty.")

    @property
    def targets(self) -> list[Column]:
        """The columns of texts."""
        return [self.target] if isinstance(self.target, str | int) else list(self.target)

    @property
    def all(self) -> dict[str, Column]:
        """All columns that every row has, by the options that name them."""
        options = {"file": self.file, "group": self.group, "split_column": self.split}
        columns = {key: one for key, one in options.items() if one is not None and one != AUTO}
        if len(self.targets) == 1:
            return {**columns, "target": self.targets[0]}
        return {**columns, **{f"target[{n}]": one for n, one in enumerate(self.targets)}}

    def entry(self, record: Record, roots: Sequence[Path], home: Path) -> FileEntry | InputError:
        """Return what a row says, or what is wrong with it.

        :param roots: folders in which relative paths are looked for, the first one first.
        :param home: the set's folder, for which placeholders stand.
        """
        try:
            texts = self._texts(record)
            file = self._file(record, roots, home)
            if not texts:
                raise InputError(
                    f"{record.place} has an empty text for {file.name}, but every example needs a "
                    "file and a text; correct the table or set data.on_bad_example=skip."
                )
            begin = self._seconds(record, self.begin, "begin")
            return FileEntry(
                file=file,
                texts=texts,
                place=record.place,
                begin=begin,
                duration=(
                    None if begin is None else self._seconds(record, self.duration, "duration")
                ),
                group=self._group(record),
                split=self._split(record),
            )
        except InputError as error:
            return error

    def _file(self, record: Record, roots: Sequence[Path], home: Path) -> Path:
        """Return the first of the files that a row may mean."""
        name = self._value(record, self.file, "file")
        name = str(name) if isinstance(name, int) else name
        if not isinstance(name, str) or not name.strip():
            raise InputError(
                f"{record.place} names no file in the column `{self.file}`, but every example "
                "needs a file and a text; correct the table or set data.on_bad_example=skip."
            )
        paths = list(_candidates(name.strip(), self.ending, roots, home))
        for path in paths:
            if _is_file(path):
                return path
        others = "".join(f", nor does {path}" for path in paths[1:])
        options = "" if self.fixed else ", dataset.folder or dataset.ending"
        raise InputError(
            f"{record.place} names the file {paths[0]}, which does not exist{others}; correct the "
            f"table{options}, or set data.on_bad_example=skip."
        )

    def _texts(self, record: Record) -> list[str]:
        """Return all texts that are not empty."""
        texts = []
        for column in self.targets:
            value = self._value(record, column, "target")
            for text in value if isinstance(value, list) else [value]:
                if text is None:
                    continue
                if not isinstance(text, str):
                    raise InputError(
                        f"The value of `{column}` at {record.place} must be text or a list of "
                        f"texts, but is a {type(text).__name__}; write it in quotes."
                    )
                if text and not text.isspace():
                    text = text.strip() if self.strip else text
                    texts.append(text.lower() if self.lowercase else text)
        return texts

    def _seconds(self, record: Record, column: Column | None, option: str) -> float | None:
        """Return the number of a column, as far as the row has it."""
        value = None if column is None else record.values.get(column)
        if value is None or value == "":
            return None
        try:
            seconds = float(value)
        except (TypeError, ValueError):
            seconds = -1.0
        if not 0 <= seconds < math.inf:
            raise InputError(
                f"The value of `{column}` at {record.place} must be a number of seconds, but is "
                f"{value!r}; correct the table or dataset.{option}."
            )
        return seconds

    def _group(self, record: Record) -> str:
        if self.group is None:
            return ""
        if self.group != AUTO:
            return self._label(record, self.group, "group")
        column = next((name for name in SPEAKERS if name in record.values), None)
        return "" if column is None else self._label(record, column, "group")

    def _split(self, record: Record) -> str:
        if self.split is not None:
            return self._label(record, self.split, "split_column")
        name = str(self._value(record, self.file, "file")).replace("\\", "/")
        first, *rest = PurePosixPath(name).parts or ("",)
        return first if rest and (TRAIN.search(first) or HELD_OUT.search(first)) else ""

    def _label(self, record: Record, column: Column, option: str) -> str:
        value = self._value(record, column, option)
        return "" if value is None else str(value)

    def _value(self, record: Record, column: Column, option: str) -> Any:
        """Return the value of a column, which no option could name where the set decides."""
        if self.fixed and column not in record.values:
            raise InputError(
                f"{record.place} has no column `{column}` (its columns are "
                f"{', '.join(map(str, record.values))}); take the table as it was published."
            )
        return find_value(record, column, option)


def _candidates(name: str, ending: str, roots: Sequence[Path], home: Path) -> list[Path]:
    """Return the paths that a name may stand for, the likeliest first."""
    names = [name]
    if not name.lower().endswith(ending.lower()):
        names = [name + ending, f"{name}.{ending}"] if ending[0].isalnum() else [name + ending]
    names += [one.replace("\\", "/") for one in names]
    inside = PLACEHOLDER.match(name)
    if inside is not None:
        names = [str(home.absolute() / one[inside.end() :]) for one in names]
    names = [str(Path(one).expanduser()) if one.startswith("~/") else one for one in names]
    return list(dict.fromkeys(root / one for one in names for root in roots))


def _is_file(path: Path) -> bool:
    """Whether there is such a file; what cannot be a path is none."""
    try:
        return path.is_file()
    except OSError:
        return False
