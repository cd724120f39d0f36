"""The table at the end."""

import io

from rich.console import Console

from tandem.reports import summary_table


def test_summary_shows_all_it_was_given() -> None:
    table = summary_table(
        "lstm to gru",
        metrics={"test/loss": 0.12345, "test/bleu": 41.016},
        paths={"bundle": "outputs/one/bundle"},
        facts={"parameters": "2.35 M"},
    )
    console = Console(width=60, record=True, file=io.StringIO())
    console.print(table)
    text = console.export_text()
    assert "lstm to gru" in text
    rows = {
        line.split("│")[1].strip(): line.split("│")[2].strip()
        for line in text.splitlines()
        if line.count("│") == 3
    }
    assert rows == {
        "test/loss": "0.123",
        "test/bleu": "41.02",
        "parameters": "2.35 M",
        "bundle": "outputs/one/bundle",
    }


def test_long_paths_are_folded_not_cut() -> None:
    path = "outputs/" + "x" * 100
    console = Console(width=60, record=True, file=io.StringIO())
    console.print(summary_table("run", {"test/loss": 1.0}, {"bundle": path}, {}))
    text = console.export_text()
    assert text.count("x") == 100
