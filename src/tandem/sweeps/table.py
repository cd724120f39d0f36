"""What a person sees of a sweep: a live table on a terminal, and lines in a log elsewhere."""

import csv
import io
import logging
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any

from rich.live import Live
from rich.table import Table

from tandem.core.printing import console
from tandem.reports.summary import format_metric
from tandem.sweeps.trials import Row

logger = logging.getLogger(__name__)

ORDER = ("running", "waiting", "complete", "pruned", "failed")


class View:
    """Shows the trials of a sweep while it runs.

    :param metric: name of the metric.
    :param goal: ``minimize`` or ``maximize``.
    :param total: how many trials there shall be.
    """

    def __init__(self, *, metric: str, goal: str, total: int) -> None:
        self._metric = metric
        self._sign = 1 if goal == "minimize" else -1
        self._total = total
        # A console of its own, as processes that are forked meanwhile print on the usual one;
        # without a thread, which a fork would not survive.
        self._live = Live(console=console(), auto_refresh=False, redirect_stdout=False)
        self._is_live = console().is_terminal

    def open(self) -> AbstractContextManager[Any]:
        """Draw for as long as this context lasts."""
        return self._live if self._is_live else nullcontext()

    def draw(self, rows: list[Row]) -> None:
        """Show the present state, where there is a terminal."""
        if self._is_live:
            self._live.update(self.table(rows), refresh=True)

    def log(self, row: Row) -> None:
        """Say in a line what happened to a trial, where there is no terminal."""
        if self._is_live:
            return
        point = " ".join(f"{name}={text}" for name, text in row.point.items())
        value = "" if row.value is None else f": {self._metric} {self._number(row)}"
        error = f": {row.error}" if row.error else ""
        logger.info("Trial %d %s%s%s (%s)", row.number, row.state, value, error, point)

    def table(self, rows: list[Row]) -> Table:
        """Running trials first, then the best, so that they stay where a terminal cuts off."""
        names = list(rows[0].point) if rows else []
        ended = sum(row.state in ("complete", "pruned", "failed") for row in rows)
        table = Table(title=f"{ended} of {self._total} trials", title_justify="left")
        for name in ("", *names, "state", self._metric, "time"):
            table.add_column(name, overflow="fold")
        for row in sorted(rows, key=self._rank):
            time = "" if row.seconds is None else str(timedelta(seconds=round(row.seconds)))
            texts = [row.point.get(name, "") for name in names]
            table.add_row(str(row.number), *texts, row.state, self._number(row), time)
        return table

    def _rank(self, row: Row) -> tuple[int, float]:
        return ORDER.index(row.state), self._sign * (row.value or 0.0)

    def _number(self, row: Row) -> str:
        return "" if row.value is None else format_metric(self._metric, row.value)


def as_csv(rows: list[Row], metric: str) -> str:
    """One line for each trial."""
    names = list(rows[0].point) if rows else []
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["number", "state", metric, "seconds", *names, "error"])
    for row in rows:
        seconds = "" if row.seconds is None else round(row.seconds, 1)
        texts = [row.point.get(name, "") for name in names]
        writer.writerow([row.number, row.state, row.value, seconds, *texts, row.error])
    return file.getvalue()
