"""Writes one HTML page that compares runs."""

import contextlib
import functools
import hashlib
import json
import webbrowser
import zipfile
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import rich
from omegaconf import DictConfig

from tandem.commands import console
from tandem.config import launch
from tandem.config.instantiate import check_values
from tandem.core.directions import Direction
from tandem.core.errors import InputError
from tandem.core.files import write_atomically
from tandem.data.cache import content_key
from tandem.inference.trust import build_trusted
from tandem.metrics.base import Metric, directions_of
from tandem.reports.comparison import Outputs, Sample, comparison
from tandem.reports.page import render
from tandem.reports.runs import Run, find_runs
from tandem.reports.statistics import RESAMPLES, Floats, resample

CACHE = "resampled.npz"
"""Beside ``run.json``: the scores of each resample, as they take a while."""
SAMPLES = 20
"""Rows of a test split of which the page shows what each run wrote."""


@dataclass(frozen=True)
class Known:
    """A metric and what is asked of it for every run that has it."""

    metric: Metric
    signature: str
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
    runs = find_runs([Path(folder) for folder in cfg.folders])
    outputs: dict[Path, Outputs] = {}
    directions: dict[str, Direction] = {}
    for run in runs:
        metrics = run_metrics(run, tuple(cfg.trusted))
        for known in metrics:
            directions |= known.directions
        found = read_outputs(run, metrics)
        if found:
            outputs[run.folder] = found
    page = render(
        comparison(runs, outputs, directions),
        title=", ".join(str(folder) for folder in cfg.folders),
        written=f"{datetime.now():%Y-%m-%d %H:%M}",
    )
    path = Path(cfg.output)
    launch.write_output(path, page)
    rich.print(f"{len(runs)} runs in {path} ({len(page) / 2**20:.1f} MB)")
    if cfg.open:
        webbrowser.open(path.resolve().as_uri())
    return path


def run_metrics(run: Run, trusted: tuple[str, ...]) -> list[Known]:
    """The metrics that the run was scored with; one that cannot be built becomes a note."""
    specs = run.config.get("metric")
    known = []
    for spec in specs.values() if isinstance(specs, dict) else ():
        try:
            known.append(_metric(json.dumps(spec), trusted))
        except InputError as error:
            run.notes.append(str(error))
    return known


@functools.cache
def _metric(spec: str, trusted: tuple[str, ...]) -> Known:
    metric = build_trusted(json.loads(spec), "metric", trusted)
    return Known(metric, metric.signature, directions_of(metric))


def read_outputs(run: Run, metrics: list[Known]) -> Outputs | None:
    """What the run wrote for its test split, with the scores of each resample."""
    try:
        raw = (run.folder / "test.jsonl").read_bytes()
        lines = raw.splitlines()
        key = content_key(
            hashlib.sha256(raw).hexdigest(), [one.signature for one in metrics], str(RESAMPLES)
        )
        kept = _cached(run.folder / CACHE, key)
        test_set, resampled = kept or _resample(run, lines, metrics, key)
        return Outputs(test_set, len(lines), resampled, [_row(line) for line in lines[:SAMPLES]])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        run.notes.append(f"test.jsonl cannot be read ({type(error).__name__}: {error}).")
        return None


def _row(line: bytes) -> Sample:
    row = json.loads(line)
    return Sample(row["source"], tuple(row["references"]), row["hypothesis"])


def _resample(
    run: Run, lines: list[bytes], metrics: list[Known], key: str
) -> tuple[str, dict[str, Floats]]:
    """Which test split it is, and the scores of each resample, which are kept beside the run."""
    rows = [_row(line) for line in lines]
    test_set = content_key(row.source for row in rows)
    test_set = content_key(test_set, (text for row in rows for text in row.references))
    resampled: dict[str, Floats] = {}
    for known in metrics:
        counts = known.metric.counts(
            [row.hypothesis for row in rows], [list(row.references) for row in rows]
        )
        resampled |= resample(counts, known.metric.scores)
    _keep(run.folder / CACHE, {"key": key, "test_set": test_set, **resampled})
    return test_set, resampled


def _cached(path: Path, key: str) -> tuple[str, dict[str, Floats]] | None:
    """What was kept of these outputs and metrics."""
    try:
        with np.load(path, allow_pickle=False) as file:
            kept = dict(file)
        if kept.pop("key").item() != key:
            return None
        return kept.pop("test_set").item(), kept
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _keep(path: Path, arrays: dict[str, Any]) -> None:
    """Keep arrays for the next report, if the run's folder may be written to."""
    buffer = BytesIO()
    np.savez_compressed(buffer, **arrays)
    with contextlib.suppress(OSError):
        write_atomically(path, buffer.getvalue())


def as_overrides(arguments: list[str]) -> list[str]:
    """Let folders stand on the command line as they are, and ``--open`` for ``open=true``."""
    overrides, folders = [], []
    for argument in arguments:
        if argument == "--open":
            overrides.append("open=true")
        elif argument.startswith("-") or ("=" in argument and not Path(argument).is_dir()):
            overrides.append(argument)
        else:
            folders.append(launch.quoted(argument))
    return [*overrides, f"folders=[{','.join(folders)}]"] if folders else overrides


def main(arguments: list[str]) -> None:
    """The command ``tandem report``."""
    launch.run("report", as_overrides(arguments), report)
