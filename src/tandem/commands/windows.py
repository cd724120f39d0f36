"""Lines in, lines out: read and answered a window at a time, written in order as they are made."""

import hashlib
import json
import logging
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from tandem.commands.files import check_new
from tandem.core.errors import InputError, cannot_write, reason_of
from tandem.core.files import write_text
from tandem.core.lines import json_line, utf8
from tandem.core.lock import lock_file
from tandem.core.printing import console
from tandem.core.terminal import for_stream

logger = logging.getLogger(__name__)

Row = tuple[str, ...]
"""What one line of output is about: a line of each input."""
Advance = Callable[[int], None]
"""Is told of how many more rows are answered."""

FIRST_WINDOW, LARGEST_WINDOW = 64, 8192
"""Rows that are sorted by length and answered together, at first and at most."""
FORMAT = "tandem-part"


@dataclass(frozen=True, kw_only=True)
class LineByLine:
    """One line of output for each row of input."""

    rows: Callable[[], Iterator[Row]]
    """Reads the input from its start."""
    repeatable: bool
    """Whether it can be read twice: then all of it is checked before any is answered."""
    check: Callable[[list[Row], int], None]
    """Refuses rows that cannot be answered, of which the first has that number."""
    answer: Callable[[list[Row], Advance], list[str]]
    """Makes a line for each row."""
    largest_window: int

    def write(self, output: str, made_by: Mapping[str, Any]) -> None:
        """Answer all rows.

        :param output: a file to be made, or ``-`` for standard output.
        :param made_by: plain data on which the lines depend, input aside; only the same command
            goes on with a file that was left half-written.
        :raises InputError: if a row or the output is unusable.
        """
        total = self._check_all() if self.repeatable else None
        with _opened(output, made_by) as out:
            rows = self.rows()
            out.skip(rows)
            with progress(output, done=out.done, total=total) as advance:
                while window := list(islice(rows, self._window(out.done))):
                    if not self.repeatable:
                        self.check(window, out.done + 1)
                    out.write(self.answer(window, advance), window)

    def _check_all(self) -> int:
        """Check the whole input; return how many rows it has."""
        total, rows = 0, self.rows()
        while window := list(islice(rows, LARGEST_WINDOW)):
            self.check(window, total + 1)
            total += len(window)
        return total

    def _window(self, done: int) -> int:
        """Rows of the next window: small at first, so that the first lines come soon.

        It follows from what is done, so that a stopped command goes on with the same windows.
        """
        return max(1, min(max(done, FIRST_WINDOW), self.largest_window))


class Output(ABC):
    """Where lines go."""

    done = 0
    """Rows that were answered before."""

    def skip(self, rows: Iterator[Row]) -> None:  # noqa: B027
        """Pass by the rows that were answered before."""

    @abstractmethod
    def write(self, lines: list[str], rows: list[Row]) -> None:
        """Write the lines of some more rows."""


class StandardOutput(Output):
    """Lines that are printed as they are made; on a terminal without control characters."""

    def write(self, lines: list[str], rows: list[Row]) -> None:
        """See :class:`Output`."""
        text = "".join(f"{line}\n" for line in lines)
        try:
            sys.stdout.write(for_stream(text, sys.stdout))
            sys.stdout.flush()
        except BrokenPipeError:  # who reads the lines has enough
            raise
        except OSError as error:
            raise cannot_write(
                error,
                f"Standard output cannot be written behind line {self.done} ({reason_of(error)}); "
                "make room, or choose another output=...",
            ) from error
        self.done += len(rows)


class PartialFile(Output):
    """A file that is there once it is whole; until then ``.part`` beside it has what is done.

    After each window ``.part.json`` says how much of the part counts, and of which input.

    :param path: the whole file's.
    :param part: the open part, locked.
    :param made_by: see :meth:`LineByLine.write`.
    """

    def __init__(self, path: Path, part: FileIO, made_by: Mapping[str, Any]) -> None:
        self.part, self.made_by = part, dict(made_by)
        self.path, self.part_path, self.record_path = path, part_path(path), record_path(path)
        self.size = 0
        self.input = hashlib.sha256()
        """Of all rows that are done."""
        self.expected: str | None = None
        """The same as an earlier process wrote it down."""
        if part.seek(0, os.SEEK_END):
            self._read_record()
        else:
            self._write_record(0, 0, self.input.hexdigest())
        part.truncate(self.size)

    def skip(self, rows: Iterator[Row]) -> None:
        """See :class:`Output`.

        :raises InputError: if they are not those that were answered.
        """
        if not self.done:
            return
        for row in islice(rows, self.done):
            self.input.update(_line_of(row))
        if self.input.hexdigest() != self.expected:
            raise self._refusal(f"of another input: its first {self.done} lines differ")
        logger.info("Continuing %s after line %d", self.part_path, self.done)

    def write(self, lines: list[str], rows: list[Row]) -> None:
        """See :class:`Output`; what is written is on the disk when this returns."""
        content = utf8("".join(f"{line}\n" for line in lines))
        done, size = self.done + len(rows), self.size + len(content)
        digest = self.input.copy()
        for row in rows:
            digest.update(_line_of(row))
        try:
            left = memoryview(content)
            while left:
                left = left[self.part.write(left) :]
            os.fsync(self.part.fileno())
            self._write_record(done, size, digest.hexdigest())
        except OSError as error:
            raise cannot_write(
                error,
                f"The file {self.part_path} cannot be written ({reason_of(error)}); make room and "
                f"give the same command again, which goes on behind line {self.done}.",
            ) from error
        self.done, self.size, self.input = done, size, digest

    def finish(self) -> None:
        """Give the whole file its name."""
        check_new(self.path)
        os.replace(self.part_path, self.path)
        self.record_path.unlink(missing_ok=True)

    def abandon(self) -> None:
        """Leave nothing behind if nothing is done."""
        if self.done:
            logger.info(
                "%s has the first %d lines; the same command continues after them",
                self.part_path,
                self.done,
            )
            return
        self.part_path.unlink(missing_ok=True)
        self.record_path.unlink(missing_ok=True)

    def _read_record(self) -> None:
        try:
            record = json.loads(self.record_path.read_bytes())
            made_by, self.done, self.size = record["made_by"], record["lines"], record["bytes"]
            self.expected = record["input"]
            usable = record["format"] == FORMAT and 0 <= self.size <= self.part.tell()
        except (OSError, ValueError, KeyError, TypeError):
            usable = False
        if not usable:
            raise self._refusal(f"of no command that {self.record_path.name} tells of")
        keys = made_by.keys() | self.made_by.keys()
        different = sorted(key for key in keys if made_by.get(key) != self.made_by.get(key))
        if different:
            raise self._refusal(f"of another command: these differ: {', '.join(different)}")

    def _write_record(self, done: int, size: int, digest: str) -> None:
        record = {
            "format": FORMAT,
            "lines": done,
            "bytes": size,
            "input": digest,
            "made_by": self.made_by,
        }
        write_text(self.record_path, json.dumps(record, indent=2))

    def _refusal(self, what: str) -> InputError:
        return InputError(
            f"The file {self.part_path} is a half-written output {what}; give the command that "
            "began it, remove the file, or choose another output=..."
        )


def part_path(path: Path) -> Path:
    """Where an output is while it is made."""
    return path.with_name(f"{path.name}.part")


def record_path(path: Path) -> Path:
    """What says how much of the part counts."""
    return path.with_name(f"{path.name}.part.json")


def _line_of(row: Row) -> bytes:
    return utf8(f"{json_line(row)}\n")


@contextmanager
def _opened(output: str, made_by: Mapping[str, Any]) -> Iterator[Output]:
    if output == "-":
        yield StandardOutput()
        return
    path = Path(output)
    check_new(path)
    with _locked_part(path) as part:
        file = PartialFile(path, part, made_by)
        try:
            yield file
        except BaseException:
            file.abandon()
            raise
        file.finish()


def _locked_part(path: Path) -> FileIO:
    """Open the part of an output for this process alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = FileIO(part_path(path), "a+")
    except OSError as error:
        raise InputError(
            f"The file {path} cannot be written ({reason_of(error)}); choose another output=..."
        ) from error
    try:
        lock_file(part.fileno(), path.parent)
        if not os.path.samestat(os.fstat(part.fileno()), os.stat(part_path(path))):
            raise BlockingIOError
    except (BlockingIOError, FileNotFoundError) as error:  # the other one has just renamed the part
        part.close()
        raise InputError(
            f"Another process writes {path} now; wait for it, or choose another output=..."
        ) from error
    except OSError as error:
        part.close()
        raise InputError(
            f"The file {part_path(path)} cannot be locked ({reason_of(error)}); choose another "
            "output=..."
        ) from error
    return part


class _Speed(ProgressColumn):
    """Rows a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} lines/s", style="progress.data.speed")


@contextmanager
def progress(output: str, *, done: int, total: int | None) -> Iterator[Advance]:
    """A bar on a terminal, unless the lines go there; with the time left if the total is known."""
    terminal = console(stderr=True)
    shown = terminal.is_terminal and not (output == "-" and sys.stdout.isatty())
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Speed(),
        TimeRemainingColumn(),
        console=terminal,
        transient=True,
        disable=not shown,
    )
    with bar:
        name = "lines" if output == "-" else Path(output).name
        task = bar.add_task(name, total=total, completed=done)
        yield lambda count: bar.advance(task, count)
