"""Learning curves: what a run's ``metrics.csv`` says by step."""

import csv
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tandem.reports.reading import UnreadableError, read_text, reason

LIMIT = 64 * 2**20
"""Bytes of a ``metrics.csv``."""
MAX_CURVES = 200
"""Columns of which a curve is kept."""
MAX_POINTS = 100
"""Points kept of a curve."""

Curve = tuple[list[float], list[float]]
Rows = list[dict[str, float]]


@dataclass(frozen=True)
class TrainingLog:
    """What a run logged while it trained."""

    curves: dict[str, Curve] = field(default_factory=dict)
    """Steps and values by name; of long ones evenly spread points."""
    steps: int | None = None
    """Steps done when the last row was written."""
    epochs: int | None = None
    """Epochs begun by then."""


def read_log(path: Path, steps: float | None = None) -> TrainingLog:
    """Read ``metrics.csv``; an empty log if there is none.

    The weights that a run ends with are validated and tested once more behind training. These rows
    stand under the number of steps done, which is no step of the curve, so they are left out.

    :param steps: how many the run has done, if it is known.
    :raises UnreadableError: if the file cannot be read.
    """
    try:
        text = read_text(path, LIMIT)
    except FileNotFoundError:
        return TrainingLog()
    try:
        rows = _rows(text)
    except (ValueError, TypeError, csv.Error) as error:
        raise UnreadableError(reason(error)) from error
    rows.sort(key=lambda row: row["step"])
    rows = _of_training(rows) if steps is None else [row for row in rows if row["step"] < steps]
    names = dict.fromkeys(name for row in rows for name in row)
    kept = [name for name in names if name not in ("step", "epoch") and "test/" not in name]
    if not rows:
        return TrainingLog()
    return TrainingLog(
        {name: _curve(rows, name) for name in kept[:MAX_CURVES]},
        int(rows[-1]["step"]) + 1,
        int(max(row.get("epoch", 0) for row in rows)) + 1,
    )


def _rows(text: str) -> Rows:
    """Values that are finite numbers, by column; a last line that was cut off is left out."""
    lines = text.rpartition("\n")[0].splitlines()
    reader = csv.DictReader(lines)
    if lines and "step" not in (reader.fieldnames or []):
        raise ValueError("it has no column step")
    rows = []
    for cells in reader:
        row = {name: float(cell) for name, cell in cells.items() if cell}
        row = {name: value for name, value in row.items() if math.isfinite(value)}
        if "step" in row:
            rows.append(row)
    return rows


def _of_training(rows: Rows) -> Rows:
    """Leave out a last step that repeats the validation of an earlier one, and tests."""
    last = [row for row in rows if row["step"] == rows[-1]["step"]]
    before = rows[: len(rows) - len(last)]
    for row in last:
        scores = {name: value for name, value in row.items() if not name.startswith("test/")}
        del scores["step"]
        scores.pop("epoch", None)
        if scores and not any(scores.items() <= one.items() for one in before):
            return rows
    return before


def _curve(rows: Rows, name: str) -> Curve:
    return thin([(row["step"], row[name]) for row in rows if name in row])


def thin(points: list[tuple[float, float]]) -> Curve:
    """At most ``MAX_POINTS`` of the points, the first and the last among them."""
    kept = np.linspace(0, len(points) - 1, min(len(points), MAX_POINTS)).round().astype(int)
    steps, values = zip(*(points[place] for place in kept), strict=True)
    return list(steps), list(values)
