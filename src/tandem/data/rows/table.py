"""Tables: comma-, tab- or otherwise separated values."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import final

from tandem.core.errors import InputError, reason_of
from tandem.data.compressed import plain_suffix
from tandem.data.fingerprints import Fingerprint, file_fingerprint
from tandem.data.rows.base import Column, Offset, Record, RowFile
from tandem.data.text_files import stream_lines

AUTO = "auto"
REST = ("error", "join", "drop")
TAB_SEPARATED = (".tsv", ".tab")
"""How the names of such files end."""
LONGEST_FIELD = 1 << 30
"""Characters of a field within quotation marks, which may be a whole book."""


@dataclass(frozen=True, kw_only=True)
class TableFormat:
    r"""How the rows of a table are written.

    :raises InputError: for what no table could be.
    """

    delimiter: str | None = None
    r"""What stands between columns; ``\t`` is a tab. None: a tab in files whose names end with
    ``.tsv`` or ``.tab``, else a comma."""
    quote: str | None = AUTO
    """The character around fields that have the delimiter in them; None: none. ``auto``: none in
    tab-separated tables, where ``rest`` is joined, and with a delimiter of several characters."""
    header: bool = True
    """Whether the first row has the names of the columns."""
    numbered: bool = False
    """Whether columns go by their numbers although there is a first row with their names."""
    rest: str = "error"
    """What is done with what stands behind the last column: ``error``, ``join`` it with that
    column as it stands, ``drop`` it."""
    width: int | None = None
    """How many columns there are; None: as many as in the first row."""
    comment: str | None = None
    """What lines begin with that are passed by."""

    def __post_init__(self) -> None:
        if self.rest not in REST:
            raise InputError(f"dataset.rest ({self.rest}) must be one of {', '.join(REST)}.")
        if self.delimiter is not None and not set(self.delimiter).isdisjoint("\r\n"):
            raise InputError(
                f"dataset.delimiter ({self.delimiter!r}) must be text within one line."
            )
        if self.quote in (None, AUTO):
            return
        if len(str(self.quote)) != 1 or str(self.quote) in "\r\n":
            raise InputError(f"dataset.quote ({self.quote!r}) must be one character.")
        if self.rest == "join" or len(self.delimiter or ",") > 1:
            why = (
                "dataset.rest=join takes the rest of a line as it stands"
                if self.rest == "join"
                else f"dataset.delimiter ({self.delimiter!r}) has several characters"
            )
            raise InputError(
                f"{why}, so there can be no quotation marks around columns; set dataset.quote=null."
            )

    @property
    def is_tab(self) -> bool:
        """Whether a tab stands between columns, whatever the file."""
        return self.delimiter in ("\t", "\\t")

    def of(self, path: Path) -> "TableFormat":
        """The format of one file, in which nothing is open."""
        tabs = plain_suffix(path).lower() in TAB_SEPARATED
        delimiter = (self.delimiter or ("\t" if tabs else ",")).replace("\\t", "\t")
        plain = delimiter == "\t" or len(delimiter) > 1 or self.rest == "join"
        quote = (None if plain else '"') if self.quote == AUTO else self.quote
        return replace(self, delimiter=delimiter, quote=quote)


@final
@dataclass(frozen=True)
class TableFile(RowFile):
    """One table; an offset is a byte, and how many lines lie before."""

    path: Path
    format: TableFormat

    def read(self, start: Offset = ()) -> Iterator[tuple[Record | InputError, Offset]]:
        """See :class:`RowFile`."""
        form = self.format.of(self.path)
        first = next(_read_rows(self.path, form, most=-1), None)
        if first is None:
            return
        _, row, behind = first
        if isinstance(row, InputError):
            raise row
        if len(row) == 1 and form.width is None:
            raise InputError(
                f"The table {self.path} has one column, `{row[0][:40]}`, where a source and a "
                f"target are needed, as {form.delimiter!r} stands nowhere in its first row; set "
                "dataset.delimiter."
            )
        names = self._names(row, form)
        width = form.width or len(row)
        begin = start or (behind if form.header else ())
        most = width - 1 if form.rest == "join" else -1
        for number, row, behind in _read_rows(self.path, form, begin, most=most):
            place = f"{self.path} line {number}"
            if isinstance(row, InputError):
                yield row, behind
            elif len(row) == width or (len(row) > width and form.rest == "drop"):
                yield Record(place, dict(zip(names, row, strict=False))), behind
            else:
                yield self._misfit(place, len(row), width), behind

    def fingerprints(self) -> dict[str, Fingerprint]:
        """See :class:`RowFile`."""
        return {str(self.path): file_fingerprint(self.path)}

    def _names(self, row: list[str], form: TableFormat) -> Sequence[Column]:
        """What the columns go by."""
        if not form.header or form.numbered:
            return range(form.width or len(row))
        check_names(row, f"The table {self.path}")
        return row

    def _misfit(self, place: str, count: int, width: int) -> InputError:
        first = "" if self.format.width else ", as many as the first row has"
        more = ", or say with dataset.rest what becomes of longer rows" if count > width else ""
        return InputError(
            f"{place} has {count} columns where {width} are needed{first}; correct the row, or "
            f"dataset.delimiter and dataset.quote{more}."
        )


def check_names(names: Sequence[str], what: str) -> None:
    """Refuse two columns of one name; columns without one are never asked for."""
    if len(set(names)) < len(names):
        several = sorted({name for name in names if name and names.count(name) > 1})
        if several:
            raise InputError(
                f"{what} has several columns of the name "
                f"{', '.join(f'`{name}`' for name in several)}; rename them."
            )


def _read_rows(
    path: Path, form: TableFormat, start: Offset = (), *, most: int
) -> Iterator[tuple[int, list[str] | InputError, Offset]]:
    """Yield each row, the number of the line that it starts at, and the offset behind it.

    :param most: so many delimiters of a line count; -1: all.
    """
    lines = _Lines(path, start, comment=form.comment, quote=form.quote)
    row: list[str] | InputError
    while True:
        lines.in_row = False
        try:
            line = next(lines)
            if form.quote is None or form.quote not in line:
                row = line.split(form.delimiter, most)
            else:
                row = _parsed(chain([line], lines), form)
        except StopIteration:
            return
        except InputError as error:
            if lines.at_end:
                raise
            row = error
        except csv.Error as error:
            raise InputError(
                f"The table {path} cannot be read at line {lines.first} ({reason_of(error)}); "
                "correct the line, or dataset.delimiter and dataset.quote; dataset.quote=null "
                "takes quotation marks as text."
            ) from error
        yield lines.first, row, (lines.offset, lines.number)


def _parsed(lines: Iterable[str], form: TableFormat) -> list[str]:
    """Return the row that some lines begin with."""
    before = csv.field_size_limit(LONGEST_FIELD)  # of the whole process, so only for this row
    try:
        return next(
            csv.reader(lines, delimiter=str(form.delimiter), quotechar=form.quote, strict=True)
        )
    finally:
        csv.field_size_limit(before)


class _Lines:
    """The lines of a table, without comments and blank lines between rows.

    A line that is no text raises InputError, behind which the others can be read.
    """

    def __init__(
        self, path: Path, start: Offset, *, comment: str | None, quote: str | None
    ) -> None:
        self.comment, self.quote = comment, quote
        self.offset, self.number = start or (0, 0)
        self.first = self.number
        """The line at which the row that is being read starts."""
        self.in_row = False
        """Whether the row goes on, within quotation marks."""
        self.at_end = False
        """Whether there are no lines any more, or none that can be read."""
        self._lines = stream_lines(path, strip=False, offset=self.offset, number=self.number)

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        while True:
            self.at_end = True
            line, behind = next(self._lines)
            self.at_end = False
            length, self.offset, self.number = behind - self.offset, behind, self.number + 1
            if not self.in_row:
                self.first = self.number
            if isinstance(line, InputError):
                raise line
            if self.in_row or (line and not (self.comment and line.startswith(self.comment))):
                break
        self.in_row = True
        if self.quote is None or (self.quote not in line and self.first == self.number):
            return line
        # What the line end took of the length, beside a byte order mark of three bytes.
        return line + ("\r\n" if (length - len(line.encode())) % 3 == 2 else "\n")
