"""Run folders as they lie on disk, however far their runs came."""

import csv
import json
import math
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from tandem.core.errors import InputError
from tandem.core.run_record import is_finished

MARKS = ("config.yaml", "run.json", "metrics.csv")
"""Files of which a run's folder has at least one."""
PARTS = ("dataset", "encoder", "decoder", "attention")
TIME = re.compile(r"^\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d-(?=.)")
"""How names of runs begin that the user did not name."""
OWN = ("run.", "logger.")
"""Sections of a config that differ between any two runs."""
MAX_POINTS = 100
"""Points kept of a learning curve."""

Value = str | int | float | bool | None
Curve = tuple[list[float], list[float]]
State = Literal["finished", "unfinished", "broken"]
YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class Run:
    """What a run's folder says."""

    folder: Path
    name: str = ""
    notes: list[str] = field(default_factory=list)
    """What is wrong with its files, a sentence each."""
    config: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Value] = field(default_factory=dict)
    """The config with a dotted name for each value."""
    record: dict[str, Any] = field(default_factory=dict)
    """``run.json``, which a run writes at its start and at its end."""
    curves: dict[str, Curve] = field(default_factory=dict)
    """Steps and values of what was logged."""

    @property
    def state(self) -> State:
        """How far it came."""
        if not self.config or (self.notes and not self.record):
            return "broken"
        return "finished" if is_finished(self.record) else "unfinished"

    @property
    def parts(self) -> dict[str, str]:
        """Names of the options that most of a model depends on."""
        tags = (self.config.get("run") or {}).get("tags") or []
        named = dict(str(tag).partition("=")[::2] for tag in tags)
        return {part: named.get(part) or str(self.settings.get(part, "")) for part in PARTS}

    @property
    def metrics(self) -> dict[str, float]:
        """Final values that are numbers."""
        found = {name: number(value) for name, value in self.record.get("metrics", {}).items()}
        return {name: value for name, value in found.items() if value is not None}


def find_runs(folders: list[Path]) -> list[Run]:
    """Read every run folder at or below the given ones.

    :raises InputError: if a folder is missing or if there is no run.
    """
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"The folder {folder} does not exist; give folders that hold runs.")
    paths = dict.fromkeys(path for folder in folders for path in run_folders(folder))
    if not paths:
        raise InputError(
            f"There is no run below {', '.join(map(str, folders))}; a run's folder has a "
            "config.yaml, so give the folder that holds such folders."
        )
    runs = [read_run(path) for path in paths]
    full = [run.folder.resolve().name for run in runs]
    short = [TIME.sub("", name) for name in full]
    counts = Counter([*full, *short])
    for run, *names in zip(runs, short, full, strict=True):
        run.name = next(
            (name for name in names if counts[name] <= names.count(name)), str(run.folder)
        )
    return runs


def run_folders(folder: Path) -> list[Path]:
    """Folders of runs at or below a folder, in order; hidden folders are left out."""
    found = []
    for root, subfolders, files in os.walk(folder):
        if any(mark in files for mark in MARKS):
            found.append(Path(root))
            subfolders.clear()
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
    return found


def read_run(folder: Path) -> Run:
    """Read a run's folder; what cannot be read becomes a note."""
    run = Run(folder)
    run.config = _read(run, "config.yaml", lambda text: yaml.load(text, YAML_LOADER)) or {}
    run.settings = flatten(run.config)
    if (folder / "run.json").exists():
        run.record = _read(run, "run.json", json.loads) or {}
        if not isinstance(run.record.get("metrics", {}), dict):
            run.notes.append("run.json has no metrics.")
            run.record = {}
    try:
        run.curves = read_curves(folder / "metrics.csv")
    except (OSError, ValueError, TypeError, csv.Error) as error:
        run.notes.append(f"metrics.csv cannot be read ({_reason(error)}).")
    return run


def _read(run: Run, name: str, parse: Any) -> dict[str, Any] | None:
    """A file's content, which must be a mapping; None, and a note, if it is not."""
    try:
        content = parse((run.folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        run.notes.append(f"{name} cannot be read ({_reason(error)}).")
        return None
    if not isinstance(content, dict):
        run.notes.append(f"{name} is not a mapping.")
        return None
    return content


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()).rstrip(".")


def number(value: Any) -> float | None:
    """The value if it is a finite number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def flatten(config: Any, prefix: str = "") -> dict[str, Value]:
    """A dotted name for each value; the class that a section names stands under its own name.

    Left out are paths and names that differ between any two runs.
    """
    flat: dict[str, Value] = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        if key == "_target_":
            flat[prefix.rstrip(".")] = str(value).rpartition(".")[2]
        elif isinstance(value, dict):
            flat |= flatten(value, f"{name}.")
        elif key not in ("_partial_", "folder", "dirpath") and not name.startswith(OWN):
            flat[name] = json.dumps(value) if isinstance(value, list) else value
    return flat


def read_curves(path: Path) -> dict[str, Curve]:
    """Steps and values of each column of ``metrics.csv``, of long ones evenly spread points."""
    if not path.exists():
        return {}
    whole_lines = path.read_text(encoding="utf-8").rpartition("\n")[0]
    points: dict[str, list[tuple[float, float]]] = {}
    for row in csv.DictReader(whole_lines.splitlines()):
        step = row.pop("step", None)
        for name, cell in row.items():
            if step and cell and name != "epoch" and math.isfinite(float(cell)):
                points.setdefault(name, []).append((float(step), float(cell)))
    return {name: thin(one) for name, one in points.items()}


def thin(points: list[tuple[float, float]]) -> Curve:
    """At most ``MAX_POINTS`` of the points, the first and the last among them."""
    kept = np.linspace(0, len(points) - 1, min(len(points), MAX_POINTS)).round().astype(int)
    steps, values = zip(*(points[place] for place in kept), strict=True)
    return list(steps), list(values)
