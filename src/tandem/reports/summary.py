"""The table at the end of a run."""

from rich.table import Table


def summary_table(
    title: str, metrics: dict[str, float], paths: dict[str, str], facts: dict[str, str]
) -> Table:
    """Put results, facts and the paths of what was written into one table.

    :param title: what was run.
    :param metrics: final values by the names they are logged under.
    :param paths: where things are, by what they are.
    :param facts: other things worth a line, such as parameters and seconds.
    """
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in metrics.items():
        table.add_row(name, format_metric(name, value), style="bold")
    table.add_section()
    for name, text in facts.items():
        table.add_row(name, text)
    table.add_section()
    for name, path in paths.items():
        table.add_row(name, path)
    return table


def format_metric(name: str, value: float) -> str:
    """Write a loss or perplexity with three decimals and a score with two."""
    small = name.endswith(("loss", "perplexity"))
    return f"{value:.3f}" if small else f"{value:.2f}"
