"""Lines are answered a window at a time; a file that was left half-written is continued."""

import errno
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tandem.commands import windows
from tandem.commands.windows import Advance, LineByLine, Row
from tandem.core.errors import InputError, NoRoomError

ROWS = [(f"line {number}",) for number in range(200)]
MADE_BY = {"search": "greedy", "run": ["0" * 64]}


class StoppedError(Exception):
    """Ends a command in its midst."""


def job(
    rows: list[Row] = ROWS,
    *,
    stop_at: int | None = None,
    repeatable: bool = True,
    answered: list[int] | None = None,
) -> LineByLine:
    """Answers each row in capitals, and fails when it comes to one."""

    def check(window: list[Row], first: int) -> None:
        for number, (line,) in enumerate(window, start=first):
            if not line:
                raise InputError(f"Line {number} is empty.")

    def answer(window: list[Row], advance: Advance) -> list[str]:
        if answered is not None:
            answered.append(len(window))
        if stop_at is not None and rows[stop_at] in window:
            raise StoppedError
        advance(len(window))
        return [line.upper() for (line,) in window]

    return LineByLine(
        rows=lambda: iter(rows),
        repeatable=repeatable,
        check=check,
        answer=answer,
        largest_window=100,
    )


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "new" / "out.txt"


def stopped(output: Path, row: int = 130) -> None:
    with pytest.raises(StoppedError):
        job(stop_at=row).write(str(output), MADE_BY)


def whole() -> list[str]:
    return [line.upper() for (line,) in ROWS]


def test_windows_grow_to_the_largest(output: Path) -> None:
    answered: list[int] = []
    job(answered=answered).write(str(output), MADE_BY)
    assert answered == [64, 64, 72]
    assert output.read_text().splitlines() == whole()
    assert [path.name for path in output.parent.iterdir()] == ["out.txt"]
    job([]).write(str(output.with_name("empty")), MADE_BY)
    assert output.with_name("empty").read_text() == ""


def test_a_half_written_output_is_continued(output: Path) -> None:
    stopped(output)
    part = output.with_name("out.txt.part")
    assert part.read_text().splitlines() == whole()[:128]
    assert not output.exists()
    with part.open("a") as file:
        file.write("LINE 128\nhalf a li")  # killed before the record knew of it
    answered: list[int] = []
    job(answered=answered).write(str(output), MADE_BY)
    assert answered == [72]
    assert output.read_text().splitlines() == whole()
    assert [path.name for path in output.parent.iterdir()] == ["out.txt"]


def test_what_is_not_begun_leaves_nothing(output: Path) -> None:
    stopped(output, row=3)
    assert list(output.parent.iterdir()) == []


def _another_command(output: Path) -> tuple[LineByLine, dict[str, Any]]:
    return job(), {**MADE_BY, "search": "beam", "n_best": 3}


def _another_input(output: Path) -> tuple[LineByLine, dict[str, Any]]:
    return job([("other",), *ROWS[1:]]), MADE_BY


def _a_shorter_input(output: Path) -> tuple[LineByLine, dict[str, Any]]:
    return job(ROWS[:100]), MADE_BY


def _no_record(output: Path) -> tuple[LineByLine, dict[str, Any]]:
    output.with_name("out.txt.part.json").unlink()
    return job(), MADE_BY


def _a_damaged_record(output: Path) -> tuple[LineByLine, dict[str, Any]]:
    output.with_name("out.txt.part.json").write_text("[1, 2")
    return job(), MADE_BY


def _a_shorter_part(output: Path) -> tuple[LineByLine, dict[str, Any]]:
    part = output.with_name("out.txt.part")
    part.write_bytes(part.read_bytes()[:50])
    return job(), MADE_BY


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (_another_command, "of another command: these differ: n_best, search"),
        (_another_input, "of another input: its first 128 lines differ"),
        (_a_shorter_input, "of another input: its first 128 lines differ"),
        (_no_record, "of no command that out.txt.part.json tells of"),
        (_a_damaged_record, "of no command that out.txt.part.json tells of"),
        (_a_shorter_part, "of no command that out.txt.part.json tells of"),
    ],
)
def test_the_half_of_something_else_is_left_alone(
    output: Path, change: Callable[[Path], tuple[LineByLine, dict[str, Any]]], what: str
) -> None:
    stopped(output)
    part = output.with_name("out.txt.part")
    task, made_by = change(output)
    before = part.read_bytes()
    with pytest.raises(InputError) as caught:
        task.write(str(output), made_by)
    assert str(caught.value) == (
        f"The file {part} is a half-written output {what}; give the command that began it, remove "
        "the file, or choose another output=..."
    )
    assert part.read_bytes() == before
    assert not output.exists()


def test_one_writer(output: Path) -> None:
    def answer(window: list[Row], advance: Advance) -> list[str]:
        with pytest.raises(InputError, match=r"Another process writes .*out.txt now; wait for it"):
            job().write(str(output), MADE_BY)
        return [line.upper() for (line,) in window]

    first = job()
    LineByLine(
        rows=first.rows, repeatable=True, check=first.check, answer=answer, largest_window=200
    ).write(str(output), MADE_BY)
    assert output.read_text().splitlines() == whole()
    with pytest.raises(InputError, match=r"out.txt already exists; choose another output"):
        job().write(str(output), MADE_BY)


def test_a_file_system_without_locks_is_written(
    output: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    job().write(str(output), MADE_BY)
    assert output.read_text().splitlines() == whole()
    assert f"{output.parent} has no locks (No locks available)" in caplog.text


@pytest.mark.parametrize("repeatable", [True, False])
def test_rows_are_checked_before_they_are_answered(output: Path, repeatable: bool) -> None:
    rows = [*ROWS[:150], ("",)]
    with pytest.raises(InputError, match=r"Line 151 is empty\."):
        job(rows, repeatable=repeatable).write(str(output), MADE_BY)
    part = output.with_name("out.txt.part")
    assert part.exists() != repeatable  # of a pipe what came before is answered and kept
    if not repeatable:
        assert part.read_text().splitlines() == whole()[:128]


def test_standard_output_gets_lines_as_they_are_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[int] = []

    def rows() -> Iterator[Row]:
        for row in ROWS:
            seen.append(len(capsys.readouterr().out.splitlines()))
            yield row

    task = job(repeatable=False)
    LineByLine(
        rows=rows, repeatable=False, check=task.check, answer=task.answer, largest_window=100
    ).write("-", MADE_BY)
    counts = [count for count in seen if count]
    assert counts == [64, 64]  # each window before the next one is read


def test_control_characters_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = ("a\x1b[2Jb\x07\x9b31m\x7f\tc",)
    for terminal, shown in (
        (True, "A\\x1b[2JB\\x07\\x9b31M\\x7f\tC\n"),
        (False, "A\x1b[2JB\x07\x9b31M\x7f\tC\n"),
    ):
        monkeypatch.setattr("sys.stdout.isatty", lambda terminal=terminal: terminal)
        job([row]).write("-", MADE_BY)
        assert capsys.readouterr().out == shown


def test_a_full_disk(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = itertools.count()
    write = windows.write_text

    def failing(path: Path, text: str) -> None:
        if next(calls) == 2:
            raise OSError(28, "No space left on device")
        write(path, text)

    monkeypatch.setattr(windows, "write_text", failing)
    with pytest.raises(
        NoRoomError, match=r"cannot be written \(No space left on device\); make ro"
    ):
        job().write(str(output), MADE_BY)
    assert json.loads(output.with_name("out.txt.part.json").read_text())["lines"] == 64
    job().write(str(output), MADE_BY)
    assert output.read_text().splitlines() == whole()
