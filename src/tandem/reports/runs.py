"""Run folders as they lie on disk, however far their runs came."""

import json
import math
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from tandem.core.errors import InputError
from tandem.core.lock import is_locked
from tandem.core.run_record import is_finished
from tandem.reports.curves import TrainingLog, read_log
from tandem.reports.reading import UnreadableError, read_json, read_yaml, reason

MARKS = ("config.yaml", "run.json", "metrics.csv")
"""Files of which a run's folder has at least one."""
PARTS = ("dataset", "encoder", "decoder", "attention")
TIME = re.compile(r"^(\d{4}-\d\d-\d\d)_(\d\d)-(\d\d)-(\d\d)-(?=.)")
"""How names of runs begin that the user did not name."""
OWN = ("run.", "logger.")
"""Sections of a config that differ between any two runs."""
PATHS = ("folder", "dirpath", "_partial_", "resume")
"""Keys that say nothing of what a run does."""
MAX_TEXT = 500
"""Letters kept of a setting, a name of a metric or a sentence."""
MAX_METRICS = 200

Content = TypeVar("Content")
Value = str | int | float | bool | None
State = Literal["finished", "running", "stopped", "failed", "killed", "unfinished", "broken"]
STATES: tuple[State, ...] = get_args(State)
"""The order in which a page counts them."""


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
    """``run.json``: how the run stands or ended, and its results."""
    log: TrainingLog = field(default_factory=TrainingLog)
    locked: bool = False
    """Whether a process is at work in the folder."""
    is_damaged: bool = False
    """Whether its config or its record cannot be used."""

    @property
    def state(self) -> State:
        """How far it came; ``unfinished`` is one of an older version, which did not say more."""
        if self.locked:
            return "running"
        written = self.record.get("state")
        if self.is_damaged or not (self.config or written):
            return "broken"
        if written == "running":
            return "killed"
        if written in ("stopped", "failed"):
            return written
        return "finished" if is_finished(self.record) else "unfinished"

    @property
    def why(self) -> str:
        """Why it ended, in a sentence, as far as it is known."""
        match self.state:
            case "killed":
                return "Its process ended without a word; resume=true goes on with it."
            case "unfinished":
                return "It has no run.json, which a run writes at its end."
            case "broken":
                return " ".join(self.notes)
        return shorten(str(self.record.get("why") or ""), MAX_TEXT)

    @property
    def parts(self) -> dict[str, str]:
        """Names of the options that most of a model depends on."""
        section = self.config.get("run")
        tags = section.get("tags") if isinstance(section, dict) else None
        named = dict(
            str(tag).partition("=")[::2] for tag in (tags if isinstance(tags, list) else [])
        )
        return {
            part: shorten(named.get(part) or str(self.settings.get(part, "")), MAX_TEXT)
            for part in PARTS
        }

    @property
    def metrics(self) -> dict[str, float]:
        """Final values that are numbers; of a run without any, those of its last validation."""
        written = self.record.get("metrics") or {
            name: values[-1]
            for name, (_, values) in self.log.curves.items()
            if name.startswith("val/") and self.state != "broken"
        }
        values = {
            shorten(str(name), MAX_TEXT): number(value)
            for name, value in (written.items() if isinstance(written, dict) else ())
        }
        known = [(name, value) for name, value in values.items() if value is not None]
        return dict(known[:MAX_METRICS])

    @property
    def ceilings(self) -> dict[str, float]:
        """Scores that no output gets past, where its tokenizer cannot write the references."""
        references = self.record.get("references")
        splits = references.values() if isinstance(references, dict) else ()
        found = [split.get("ceilings") for split in splits if isinstance(split, dict)]
        values = {
            shorten(str(name), MAX_TEXT): number(value)
            for one in found
            if isinstance(one, dict)
            for name, value in one.items()
        }
        return {name: value for name, value in values.items() if value is not None}

    @property
    def started(self) -> str:
        """When it began, in ISO form; of older runs what their names say."""
        if isinstance(written := self.record.get("started"), str):
            return shorten(written, MAX_TEXT)
        named = TIME.match(self.folder.name)
        return f"{named[1]}T{':'.join(named.groups()[1:])}" if named else ""


def find_runs(folders: list[Path]) -> list[Run]:
    """Read every run folder at or below the given ones.

    :raises InputError: if a folder is missing or if there is no run.
    """
    runs = [read_run(path) for path in run_folders(folders)]
    name_runs(runs)
    return runs


def run_folders(folders: list[Path]) -> list[Path]:
    """Folders of runs at or below the given ones, in order; hidden folders are left out.

    :raises InputError: if a folder is missing or if there is no run.
    """
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"The folder {folder} does not exist; give folders that hold runs.")
    paths = dict.fromkeys(path for folder in folders for path in _walk(folder))
    if not paths:
        raise InputError(
            f"There is no run below {', '.join(map(str, folders))}; a run's folder has a "
            "config.yaml, so give the folder that holds such folders."
        )
    return list(paths)


def _walk(folder: Path) -> list[Path]:
    found = []
    for root, subfolders, files in os.walk(folder):
        if any(mark in files for mark in MARKS):
            found.append(Path(root))
            subfolders.clear()
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
    return found


def name_runs(runs: list[Run]) -> None:
    """Give each run the shortest name that no other one has."""
    full = [run.folder.resolve().name for run in runs]
    short = [TIME.sub("", name) for name in full]
    counts = Counter([*full, *short])
    for run, *names in zip(runs, short, full, strict=True):
        run.name = next(
            (name for name in names if counts[name] <= names.count(name)), str(run.folder)
        )


def read_run(folder: Path) -> Run:
    """Read a run's folder; what cannot be read becomes a note."""
    run = Run(folder)
    try:
        _read_files(run)
    except Exception as error:  # one damaged folder must not take the others' report with it
        run.notes.append(f"The folder cannot be read: {type(error).__name__}: {reason(error)}.")
        run.config, run.settings, run.record, run.is_damaged = {}, {}, {}, True
    return run


def _read_files(run: Run) -> None:
    run.locked = is_locked(run.folder)
    run.config = _read(run, "config.yaml", read_yaml, {})
    run.settings = flatten(run.config)
    run.record = _read(run, "run.json", read_json, {})
    if not isinstance(run.record.get("metrics", {}), dict):
        run.notes.append("The metrics in run.json are not a mapping.")
        run.record = {}
    run.is_damaged = bool(run.notes)
    if not run.config and not run.notes and not run.locked:
        run.notes.append("There is no config.yaml, or it is empty.")
    is_over = run.record.get("state", "running") != "running"
    steps = number(run.record.get("steps")) if is_over else None
    run.log = _read(run, "metrics.csv", lambda path: read_log(path, steps), TrainingLog())


def _read(run: Run, name: str, read: Callable[[Path], Content], missing: Content) -> Content:
    """A file's content; if there is none that can be used, a note says why."""
    try:
        return read(run.folder / name)
    except FileNotFoundError:
        return missing
    except UnreadableError as error:
        run.notes.append(f"{name} cannot be read: {error}.")
        return missing


def number(value: Any) -> float | None:
    """The value if it is a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an integer beyond the range of floats
        return None


def flatten(config: dict[Any, Any], prefix: str = "") -> dict[str, Value]:
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
        elif key not in PATHS and not name.startswith(OWN):
            flat[name] = plain(value)
    return flat


def plain(value: Any) -> Value:
    """A value that a page can hold: lists, dates and numbers beyond floats become texts."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if number(value) is not None:
            return value
        return shorten(f"{value:#x}" if isinstance(value, int) else str(value), MAX_TEXT)
    if isinstance(value, list):
        return shorten(json.dumps(value, default=str, skipkeys=True), MAX_TEXT)
    return shorten(str(value), MAX_TEXT)


def shorten(text: str, length: int) -> str:
    """The text, or its beginning and a sign that there is more."""
    return text if len(text) <= length else f"{text[:length].rstrip()} …"
