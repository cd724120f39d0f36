"""Metrics as one CSV file in the run's folder."""

import csv
import logging
import os
from argparse import Namespace
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

from tandem.core.files import replacing

logger = logging.getLogger(__name__)


class CSVLogger(Logger):
    """Appends a row to ``metrics.csv`` for each set of logged values; a resumed run goes on in it.

    Each row is on disk when ``log_metrics`` returns. A value logged for the first time adds a
    column, for which the file is rewritten under a temporary name and then put in place.

    :param folder: the run's folder.
    """

    def __init__(self, *, folder: str) -> None:
        super().__init__()
        self.path = Path(folder) / "metrics.csv"
        self._columns: list[str] | None = None

    @property
    def name(self) -> str:
        """Lightning asks for a name; the file has none beside its path."""
        return ""

    @property
    def version(self) -> str:
        """Lightning asks for a version; there is one file a run."""
        return ""

    @property
    def save_dir(self) -> str:
        """The run's folder."""
        return str(self.path.parent)

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace) -> None:
        """Do nothing: the run's settings stand in files of their own."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Append one row."""
        row: dict[str, Any] = {"step": "" if step is None else step}
        row.update({name: float(value) for name, value in metrics.items() if name != "epoch"})
        if "epoch" in metrics:
            row["epoch"] = int(metrics["epoch"])
        if self._columns is None:
            self._rewrite(self._read_header(), self._read_rows())
        assert self._columns is not None
        new = [name for name in row if name not in self._columns]
        if new:
            self._rewrite([*self._columns, *new], self._read_rows())
        with self.path.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, self._columns, lineterminator="\n").writerow(row)

    @rank_zero_only
    def rewind(self, step: int, pending: tuple[int, dict[str, float]] | None) -> None:
        """Leave the rows of the checkpoint of a step, from which a run resumes.

        Lightning numbers rows from 0, so a checkpoint of ``global_step`` 100 goes with row 99.

        :param pending: number and values of that row, if it was still to be written when the
            checkpoint was saved.
        """
        if self.path.exists():
            self._drop_from(step)
        if pending is not None and not self._has(*pending):
            number, values = pending
            self.log_metrics(values, number)

    def _drop_from(self, step: int) -> None:
        try:
            rows = [row for row in self._read_rows() if not row["step"] or int(row["step"]) < step]
            self._rewrite(self._read_header(), rows)
        except (ValueError, KeyError, TypeError, csv.Error) as error:
            aside = self.path.with_name("metrics.damaged.csv")
            os.replace(self.path, aside)
            logger.warning(
                "%s cannot be read (%s: %s); it is %s now, and a new one begins",
                self.path,
                type(error).__name__,
                error,
                aside.name,
            )

    def _has(self, number: int, values: dict[str, float]) -> bool:
        """Whether a row of this number has all of the values."""
        rows = [row for row in self._read_rows() if row["step"] == str(number)]
        return any(all(row.get(name) for name in values) for row in rows)

    def _read_header(self) -> list[str]:
        if not self.path.exists():
            return ["step", "epoch"]
        with self.path.open(encoding="utf-8", newline="") as file:
            return next(csv.reader(file), ["step", "epoch"])

    def _read_rows(self) -> list[dict[str, str]]:
        """Read what is there; a last line that was cut off in the middle of writing is dropped."""
        if not self.path.exists():
            return []
        whole_lines = self.path.read_text(encoding="utf-8").rpartition("\n")[0]
        return list(csv.DictReader(whole_lines.splitlines()))

    def _rewrite(self, columns: list[str], rows: list[dict[str, str]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.path) as part, part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n", restval="")
            writer.writeheader()
            writer.writerows(rows)
        self._columns = columns
