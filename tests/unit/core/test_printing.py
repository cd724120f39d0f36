"""What a user gave is printed as it is, wherever it is printed."""

import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tandem.commands.console import TerminalHandler
from tandem.core import printing
from tandem.core.errors import InputError
from tandem.reports.summary import print_summary
from tandem.sweeps.averages import Average, averages_table
from tandem.sweeps.table import View
from tandem.sweeps.trials import Row

PACKAGE = Path(printing.__file__).parents[1]
NAMES = (
    "x[/red]y",
    "metric=[exact_match,bleu]",
    "[bold]a[/bold]",
    "[link=https://example.org]a[/link]",
    "\\[a]",
    ":tada:",
    "[/]",
)


def log(name: str) -> None:
    record = logging.LogRecord("tandem", logging.WARNING, "", 0, "Run folder: %s", (name,), None)
    TerminalHandler().emit(record)


def show_trials(name: str) -> None:
    rows = [Row(number=0, point={name: name}, state="failed", value=None, error=name, seconds=1.0)]
    view = View(metric=name, goal="minimize", total=1)
    printing.console().print(view.table(rows))


def show_averages(name: str) -> None:
    found = [Average({name: name}, 2, {name: (1.0, 0.5)})]
    printing.console().print(averages_table(found, [name]))


PLACES: dict[str, Callable[[str], None]] = {
    "complain": lambda name: printing.complain(InputError(f"The run {name} is none.")),
    "say": lambda name: printing.say(f"continue it with: tandem train {name}"),
    "summary": lambda name: print_summary(
        printing.console(), name, {name: 1.0}, {name: name}, {name: name}
    ),
    "trials": show_trials,
    "averages": show_averages,
    "log": log,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", PLACES)
def test_names_are_printed_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: str, name: str
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    PLACES[place](name)
    assert name in "".join(capsys.readouterr())


def test_nobody_prints_markup() -> None:
    """Consoles are made in one place, and the one of rich itself only draws texts and bars."""
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found = re.findall(r"rich\.print\(|rich import print|import escape|\bConsole\(", text)
        assert found == [] or path.name == "printing.py", path


def test_a_bar_is_for_terminals(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(printing.progress(["a", "b"], "Reading")) == ["a", "b"]
    assert capfd.readouterr() == ("", "")
