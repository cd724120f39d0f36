"""What a command prints when it is done."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_summary(
    console: Console,
    title: str,
    metrics: dict[str, float],
    paths: dict[str, str],
    facts: dict[str, str],
) -> None:
    """Print results and facts as a table, and below it where things are, a whole path a line.

    :param title: what was run.
    :param metrics: final values by the names they are logged under.
    :param paths: where things are, by what they are.
    :param facts: other things worth a line, such as parameters and seconds.
    """
    table = Table(show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in metrics.items():
        table.add_row(Text(name), format_metric(name, value), style="bold")
    table.add_section()
    for name, text in facts.items():
        table.add_row(Text(name), Text(text))
    console.print(Text(title, style="bold"), soft_wrap=True)
    console.print(table)
    width = max(map(len, paths), default=0)
    for name, path in paths.items():
        # The terminal breaks a long line and a pipe does not, so that a path can be copied.
        console.print(Text.assemble((f"{name:<{width}}  ", "dim"), path), soft_wrap=True)


def format_metric(name: str, value: float) -> str:
    """Write a loss or perplexity with three decimals and a score with two."""
    small = name.endswith(("loss", "perplexity"))
    return f"{value:.3f}" if small else f"{value:,.2f}"


def ceiling_facts(references: Mapping[str, Any]) -> dict[str, str]:
    """Scores that no output can get past, for :func:`print_summary`.

    :param references: what a record says of them, by split.
    """
    return {
        f"{name} at best": f"{format_metric(name, value)}, as the tokenizer writes references"
        for record in references.values()
        for name, value in record.get("ceilings", {}).items()
    }
