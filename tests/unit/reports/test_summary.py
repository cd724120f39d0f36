"""What is printed at the end."""

import io

import pytest
from rich.console import Console

from tandem.reports import print_summary


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_all_that_was_given_is_shown_and_paths_stay_whole(width: int, terminal: bool) -> None:
    """Whatever brackets a user's names have; nothing is wrapped but the table."""
    name, path = "x[/red]y [bold]", "outputs/" + "long name [1]/" * 12 + "bundle"
    screen = io.StringIO()
    console = Console(width=width, file=screen, force_terminal=terminal, color_system=None)
    facts = {"parameters": "2.35 M", "ended": "trainer.max_epochs=20 reached, " * 5}
    print_summary(
        console, name, {"test/loss": 0.12345, "test/bleu": 41.016}, {"bundle": path}, facts
    )
    text = screen.getvalue()
    assert name in text
    assert path in text
    rows = [line.strip("│ ").split("│") for line in text.splitlines() if line.count("│") == 3]
    cells = {row[0].strip(): row[1].strip() for row in rows if len(row) == 2}
    assert {"test/loss", "test/bleu", "parameters", "ended"} <= cells.keys()
    assert cells["test/bleu"] == "41.02"
