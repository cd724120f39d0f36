"""What a page about many runs needs, as plain data."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tandem.core.directions import LOSS_DIRECTIONS, Direction
from tandem.reports.pictures import as_data_uri
from tandem.reports.runs import Run, Value, number
from tandem.reports.statistics import RESAMPLES, Floats, as_extreme, interval

MAX_COLUMNS = 8
"""Keys of the config that get a column."""
MAX_MAPS = 24
"""Runs of which an attention map is shown, the best ones."""
MAX_TEXT = 400
"""Letters shown of a text."""

PART_SECTIONS = {
    "encoder": ("encoder",),
    "decoder": ("decoder",),
    "attention": ("attention", "decoder.attention"),
    "dataset": ("dataset", "monitor", "metric", "features", "frontend", "tokenizer", "callbacks"),
}
"""Sections whose keys may differ only because another part was chosen."""
MISSING = "(absent)"
"""In the place of a value that a config does not have."""


@dataclass(frozen=True)
class Sample:
    """A row of a test split and what a run wrote for it."""

    source: str
    references: tuple[str, ...]
    hypothesis: str


@dataclass(frozen=True)
class Outputs:
    """What a run wrote for its test split, and how its scores vary with the rows."""

    test_set: str
    """The same for runs that were tested on the same rows."""
    rows: int
    resampled: dict[str, Floats] = field(default_factory=dict)
    """Each score on each resample."""
    samples: list[Sample] = field(default_factory=list)
    """The first rows."""


def comparison(
    runs: list[Run], outputs: dict[Path, Outputs], directions: Mapping[str, Direction]
) -> dict[str, Any]:
    """All that the page shows.

    :param runs: of any state.
    :param outputs: by folder, of the runs that kept theirs.
    :param directions: of the metrics' scores by name, without the split.
    """
    names = sorted({name for run in runs for name in run.metrics}, key=_metric_order)
    known = {**LOSS_DIRECTIONS, **directions}
    main, mode = main_metric(runs, names, known)
    metrics = [{"name": name, "mode": known.get(score_of(name), "max")} for name in names]
    for metric in metrics:
        if metric["name"] == main:
            metric["mode"] = mode
    keys = varying(runs)
    pictures = maps(sorted(runs, key=lambda run: _rank(run, main, mode)))
    samples = _Samples()
    return {
        "runs": [
            {
                "name": run.name,
                "folder": str(run.folder),
                "state": run.state,
                "notes": run.notes,
                "parts": run.parts,
                "settings": {key: run.settings[key] for key in keys if key in run.settings},
                "parameters": number(run.record.get("parameters")),
                "seconds": number(run.record.get("training_seconds")),
                "command": str(run.record.get("command", "")),
                "metrics": run.metrics,
                "intervals": intervals(run, outputs.get(run.folder)),
                "curves": run.curves,
                "samples": samples.add(outputs.get(run.folder)),
                "map": pictures.get(run.folder),
            }
            for run in runs
        ],
        "metrics": metrics,
        "main": main,
        "keys": keys,
        "columns": telling(runs, keys)[:MAX_COLUMNS],
        "same": same(runs, keys),
        "samples": samples.rows,
        "pairs": pairs(runs, outputs),
        "resamples": RESAMPLES,
        "maxMaps": MAX_MAPS,
    }


def main_metric(
    runs: list[Run], names: list[str], directions: Mapping[str, Direction]
) -> tuple[str, str]:
    """What most runs monitor, on the test split if it was scored, and whether less is better.

    :param names: of all that the runs logged.
    :param directions: of scores whose metrics are known; of another one the runs' word counts.
    """
    monitors = Counter(
        (str(monitor.get("name")), str(monitor.get("mode")))
        for run in runs
        if isinstance(monitor := run.config.get("monitor"), dict)
    )
    for (monitored, mode), _ in monitors.most_common():
        for name in (monitored.replace("val/", "test/"), monitored):
            if name in names:
                return name, directions.get(score_of(name), mode)
    name = names[0] if names else ""
    return name, directions.get(score_of(name), "max")


def score_of(name: str) -> str:
    """The name of a logged value without its split."""
    return name.partition("/")[2]


def _metric_order(name: str) -> tuple[int, bool, str]:
    """Test before validation before training, and searched scores before losses."""
    split, _, score = name.partition("/")
    splits = ("test", "val", "train")
    return (splits.index(split) if split in splits else 3, score in LOSS_DIRECTIONS, score)


def _rank(run: Run, metric: str, mode: str) -> float:
    value = run.metrics.get(metric)
    if value is None:
        return np.inf
    return value if mode == "min" else -value


def varying(runs: list[Run]) -> list[str]:
    """Keys of the config that have more than one value among the runs, in the config's order.

    A key that everywhere repeats one of a shorter name, as ``decoder.attention.size`` does
    ``attention.size``, is left out.
    """
    settings = [run.settings for run in runs if run.settings]
    every = dict.fromkeys(key for one in settings for key in one)
    return [
        key
        for key in every
        if len({one.get(key, MISSING) for one in settings}) > 1
        and not all(
            one.get(key, MISSING) == one.get(key.partition(".")[2], MISSING) for one in settings
        )
    ]


def same(runs: list[Run], different: list[str]) -> dict[str, Value]:
    """Keys of the config with the value that all runs have."""
    settings = next((run.settings for run in runs if run.settings), {})
    return {key: value for key, value in settings.items() if key not in different}


def telling(runs: list[Run], keys: list[str]) -> list[str]:
    """Keys without those that say nothing new.

    Left out are keys that only follow the choice of an encoder, decoder, attention or dataset, or
    of their section's class, and keys that repeat one before them, such as
    ``encoder.hidden_size``.
    """
    readable = [run for run in runs if run.settings]
    columns: dict[str, list[Value]] = {}
    for key in keys:
        values = [run.settings.get(key, MISSING) for run in readable]
        choices: list[list[Value]] = [
            [run.parts[part] for run in readable]
            for part, sections in PART_SECTIONS.items()
            if _below(key, sections)
        ]
        choices += [column for name, column in columns.items() if _below(key, [name])]
        if any(_follows(values, one) for one in choices):
            continue
        if not any(_repeats(values, column) for column in columns.values()):
            columns[key] = values
    return list(columns)


def _below(key: str, sections: Iterable[str]) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in sections)


def _repeats(values: Sequence[Value], column: Sequence[Value]) -> bool:
    """Whether wherever there is a value it is the column's."""
    return all(value in (MISSING, other) for value, other in zip(values, column, strict=True))


def _follows(values: Sequence[Value], choices: Sequence[Value]) -> bool:
    """Whether each choice always comes with one value."""
    found: dict[Value, set[Value]] = defaultdict(set)
    for value, choice in zip(values, choices, strict=True):
        found[choice].add(value)
    return all(len(one) == 1 for one in found.values())


def intervals(run: Run, outputs: Outputs | None) -> dict[str, tuple[float, float]]:
    """The interval of each score on the test split that can be resampled."""
    scores = outputs.resampled if outputs else {}
    return {
        f"test/{name}": interval(values)
        for name, values in scores.items()
        if f"test/{name}" in run.metrics
    }


def pairs(runs: list[Run], outputs: dict[Path, Outputs]) -> dict[str, list[dict[str, Any]]]:
    """For each score and test split: places of the runs, and how they differ by chance."""
    together: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, run in enumerate(runs):
        if found := outputs.get(run.folder):
            for name in found.resampled:
                if f"test/{name}" in run.metrics:
                    together[f"test/{name}", found.test_set].append(place)
    compared = defaultdict(list)
    for (name, _), places in together.items():
        scores = np.array([runs[place].metrics[name] for place in places])
        short = name.removeprefix("test/")
        resampled = np.array([outputs[runs[place].folder].resampled[short] for place in places])
        counts = as_extreme(scores, resampled)
        lower = [row[:width].tolist() for width, row in enumerate(counts)]
        rows = outputs[runs[places[0]].folder].rows
        compared[name].append({"runs": places, "rows": rows, "asExtreme": lower})
    return compared


def maps(runs: list[Run]) -> dict[Path, str]:
    """One small attention map of each of the first runs that have any, by folder."""
    found: dict[Path, str] = {}
    for run in runs:
        folder = run.folder / "attention"
        of_test, of_validation = sorted(folder.glob("test-*.png")), sorted(folder.glob("val-*.png"))
        path = next(iter(of_test + of_validation), None)
        if path and (uri := as_data_uri(path)):
            found[run.folder] = uri
        if len(found) == MAX_MAPS:
            break
    return found


class _Samples:
    """Rows of all test splits, each once."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._places: dict[tuple[str, int], int] = {}

    def add(self, outputs: Outputs | None) -> dict[int, str]:
        """Take a run's first rows in; return its hypotheses by the rows' places."""
        hypotheses = {}
        for row, sample in enumerate(outputs.samples if outputs else []):
            assert outputs is not None
            place = self._places.setdefault((outputs.test_set, row), len(self.rows))
            if place == len(self.rows):
                references = [shorten(text) for text in sample.references]
                self.rows.append({"source": shorten(sample.source), "references": references})
            hypotheses[place] = shorten(sample.hypothesis)
        return hypotheses


def shorten(text: str) -> str:
    """The text, or its beginning and a sign that there is more."""
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT].rstrip()} …"
