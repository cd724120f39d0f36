"""Writes one HTML page that compares runs."""

import contextlib
import functools
import json
import time
import webbrowser
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from omegaconf import DictConfig

from tandem.commands import console
from tandem.config import launch
from tandem.config.instantiate import check_values
from tandem.core import printing
from tandem.core.directions import Direction
from tandem.core.lock import is_locked
from tandem.data.cache import content_key
from tandem.inference.trust import build_trusted
from tandem.metrics.base import Metric, directions_of
from tandem.reports.comparison import comparison
from tandem.reports.outputs import (
    FILE,
    MAX_SAMPLES,
    OutputLines,
    Outputs,
    keep_scores,
    kept_scores,
    read_lines,
)
from tandem.reports.page import render
from tandem.reports.reading import UnreadableError, reason
from tandem.reports.runs import MARKS, Run, name_runs, read_run, run_folders
from tandem.reports.statistics import RESAMPLES, Floats, resample

Fingerprint = tuple[float, ...]


@dataclass(frozen=True)
class Known:
    """A metric and what is asked of it for every run that has it."""

    metric: Metric
    signature: str
    directions: dict[str, Direction]


@dataclass(frozen=True)
class Reading:
    """All that the page takes from one run."""

    run: Run
    outputs: Outputs | None
    directions: dict[str, Direction]


def report(cfg: DictConfig, command: str = "") -> Path:
    """Write a page about all runs at or below ``cfg.folders``.

    :param cfg: a composed ``report`` config.
    :param command: unused; every command gets the line that repeats it.
    :return: where the page is.
    :raises InputError: if there is no run, or the page cannot be written.
    """
    console.set_up(None)
    check_values(cfg)
    pages = Pages(
        [Path(folder) for folder in cfg.folders],
        Path(cfg.output),
        trusted=tuple(cfg.trusted),
        reload=cfg.watch_interval if cfg.watch else None,
    )
    pages.write_if_changed()
    if cfg.open:
        webbrowser.open(pages.path.resolve().as_uri())
    if cfg.watch:
        say(f"Looking for changes every {cfg.watch_interval} s; Ctrl-C ends it")
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(cfg.watch_interval)
                pages.write_if_changed()
    return pages.path


class Pages:
    """One page written again and again, for which only what changed is read.

    :param folders: with runs in or below them.
    :param path: where the page is.
    :param trusted: packages beside Tandem whose metrics the runs may name.
    :param reload: seconds after which the page reads itself again; None: never.
    """

    def __init__(
        self, folders: list[Path], path: Path, *, trusted: tuple[str, ...], reload: float | None
    ) -> None:
        self.folders = folders
        self.path = path
        self.trusted = trusted
        self.reload = reload
        self._readings: dict[Path, tuple[Fingerprint, Reading]] = {}

    def write_if_changed(self) -> None:
        """Write the page if there is none yet, or if a run came, went or changed."""
        fingerprints = {folder: fingerprint(folder) for folder in run_folders(self.folders)}
        if fingerprints == {folder: seen for folder, (seen, _) in self._readings.items()}:
            return
        before, self._readings = self._readings, {}
        for folder, now in fingerprints.items():
            seen, reading = before.get(folder, (None, None))
            if reading is None or seen != now:
                reading = read(folder, self.trusted)
            self._readings[folder] = (now, reading)
        self._write([reading for _, reading in self._readings.values()])

    def _write(self, readings: list[Reading]) -> None:
        runs = [one.run for one in readings]
        name_runs(runs)
        outputs = {one.run.folder: one.outputs for one in readings if one.outputs is not None}
        directions = {name: way for one in readings for name, way in one.directions.items()}
        page = render(
            {**comparison(runs, outputs, directions), "reload": self.reload},
            title=", ".join(str(folder) for folder in self.folders),
            written=f"{datetime.now():%Y-%m-%d %H:%M}",
        )
        launch.write_output(self.path, page)
        say(f"{len(runs)} runs in {self.path} ({len(page) / 2**20:.1f} MB)")


def say(line: str) -> None:
    """Print a line as it is, whatever its length and signs."""
    printing.console().print(line, soft_wrap=True)


def fingerprint(folder: Path) -> Fingerprint:
    """What changes whenever a run's page does: times and sizes of its files, and its lock."""
    marks: list[float] = [is_locked(folder)]
    for name in (*MARKS, FILE, "attention", "media"):
        try:
            status = (folder / name).stat()
        except OSError:
            marks += [0, 0]
        else:
            marks += [status.st_mtime_ns, status.st_size]
    return tuple(marks)


def read(folder: Path, trusted: tuple[str, ...]) -> Reading:
    """Read a run with its outputs; what cannot be read becomes a note."""
    run = read_run(folder)
    metrics = run_metrics(run, trusted)
    outputs = None
    try:
        outputs = read_outputs(folder, metrics)
    except FileNotFoundError:
        pass
    except Exception as error:  # metrics raise whatever their code meets in hostile texts
        kind = "" if isinstance(error, UnreadableError) else f"{type(error).__name__}: "
        run.notes.append(f"{FILE} cannot be read: {kind}{reason(error)}.")
    return Reading(
        run, outputs, {key: way for one in metrics for key, way in one.directions.items()}
    )


def run_metrics(run: Run, trusted: tuple[str, ...]) -> list[Known]:
    """The metrics that the run was scored with; one that cannot be built becomes a note."""
    specs = run.config.get("metric")
    known = []
    for spec in specs.values() if isinstance(specs, dict) else ():
        try:
            known.append(_metric(json.dumps(spec), trusted))
        except Exception as error:  # a config may give a metric's class any values
            run.notes.append(f"A metric cannot be built: {reason(error)}.")
    return known


@functools.cache
def _metric(spec: str, trusted: tuple[str, ...]) -> Known:
    metric = build_trusted(json.loads(spec), "metric", trusted)
    return Known(metric, metric.signature, directions_of(metric))


def read_outputs(folder: Path, metrics: list[Known]) -> Outputs:
    """What a run wrote for its test split, with the scores of each resample.

    :raises UnreadableError: if the file cannot be read.
    :raises FileNotFoundError: if there is none.
    """
    written = read_lines(folder)
    key = content_key(written.digest, [one.signature for one in metrics], str(RESAMPLES))
    kept = kept_scores(folder, key)
    if kept is None:
        kept = _resample(written, metrics)
        keep_scores(folder, key, *kept)
    test_set, resampled = kept
    return Outputs(test_set, len(written.lines), resampled, written.rows(MAX_SAMPLES))


def _resample(written: OutputLines, metrics: list[Known]) -> tuple[str, dict[str, Floats]]:
    """Which test split it is, and the scores of each resample."""
    rows = written.rows()
    test_set = content_key(row.source for row in rows)
    test_set = content_key(test_set, (text for row in rows for text in row.references))
    resampled: dict[str, Floats] = {}
    for known in metrics:
        counts = known.metric.counts(
            [row.hypothesis for row in rows], [list(row.references) for row in rows]
        )
        resampled |= resample(counts, known.metric.scores)
    return test_set, resampled
