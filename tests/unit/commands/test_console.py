"""What a person sees of the log."""

import io
import logging

import pytest
import rich
from rich.console import Console

from tandem.commands.console import TerminalHandler, wrapped

PATH = "/a/" + "long-path/" * 10


@pytest.mark.parametrize("width", [20, 60, 200])
def test_lines_are_broken_between_words_and_not_before_numbers(width: int) -> None:
    text = f"Resuming from {PATH} at step 1,234: val/bleu 12.30\nand more"
    lines = wrapped(text, width)
    assert " ".join(lines).split() == text.split()
    assert PATH in " ".join(lines)
    assert any("val/bleu 12.30" in line for line in lines)
    assert all(len(line) <= width or line == PATH for line in lines)


def test_a_record_is_printed_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=40, no_color=True)
    monkeypatch.setattr(rich, "get_console", lambda: console)
    record = logging.LogRecord("tandem", logging.WARNING, "", 1, "x[/red]y %s", (PATH,), None)
    TerminalHandler().emit(record)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "x[/red]y" in shown
    assert PATH in shown
