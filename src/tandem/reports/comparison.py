"""What a page about many runs needs, as plain data."""

import itertools
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tandem.core.directions import LOSS_DIRECTIONS, Direction
from tandem.reports.outputs import Outputs
from tandem.reports.runs import STATES, Run, Value, number, shorten
from tandem.reports.samples import MAX_MAPS, SampleRows, maps
from tandem.reports.statistics import RESAMPLES, as_extreme, interval
from tandem.reports.test_sets import TestSet, find_test_sets

MAX_COLUMNS = 8
"""Keys of the config that have a column unless others are chosen."""
MAX_COMMAND = 4000
"""Letters of a command line."""

PART_SECTIONS = {
    "encoder": ("encoder",),
    "decoder": ("decoder",),
    "attention": ("attention", "decoder.attention"),
    "dataset": ("dataset", "monitor", "metric", "features", "frontend", "tokenizer", "callbacks"),
}
"""Sections whose keys may differ only because another part was chosen."""
MISSING = "(absent)"
"""In the place of a value that a config does not have."""


def comparison(
    runs: list[Run], outputs: Mapping[Path, Outputs], directions: Mapping[str, Direction]
) -> dict[str, Any]:
    """All that the page shows.

    :param runs: of any state.
    :param outputs: by folder, of the runs that kept theirs.
    :param directions: of the metrics' scores by name, without the split.
    """
    names = sorted({name for run in runs for name in run.metrics}, key=_metric_order)
    known = {**LOSS_DIRECTIONS, **directions}
    sets = find_test_sets(runs, outputs)
    mains = [main_metric(one.runs, _names(one.runs, names), known) for one in sets]
    modes: dict[str, str] = {name: known.get(score_of(name), "max") for name in names}
    modes |= {name: mode for name, mode in reversed(mains) if name}
    excluded = {
        run.folder: one.exclusions(run, outputs.get(run.folder)) for one in sets for run in one.runs
    }
    pictures = maps(_best_first(sets, mains, excluded))
    set_of = {run.folder: place for place, one in enumerate(sets) for run in one.runs}
    recipes = [recipe(run) for run in runs]
    numbers = {written: place for place, written in enumerate(dict.fromkeys(recipes))}
    keys = varying(runs)
    samples = SampleRows()
    return {
        "runs": [
            {
                **facts(run),
                "set": set_of.get(run.folder),
                "excluded": excluded.get(run.folder, {}),
                "recipe": numbers[written],
                "settings": {key: run.settings[key] for key in keys if key in run.settings},
                "intervals": intervals(run, outputs.get(run.folder)),
                "samples": samples.add(run.folder, outputs.get(run.folder)),
                "map": pictures.get(run.folder),
            }
            for run, written in zip(runs, recipes, strict=True)
        ],
        "sets": [
            {"id": one.id, "label": one.label, "main": main}
            for one, (main, _) in zip(sets, mains, strict=True)
        ],
        "metrics": [{"name": name, "mode": mode} for name, mode in modes.items()],
        "states": list(STATES),
        "keys": keys,
        "columns": telling(runs, keys)[:MAX_COLUMNS],
        "same": same(runs, keys),
        "samples": samples.rows,
        "pairs": pairs(runs, outputs),
        "resamples": RESAMPLES,
        "maxMaps": MAX_MAPS,
    }


def facts(run: Run) -> dict[str, Any]:
    """What the page shows of a run that does not depend on the others."""
    record = run.record
    return {
        "name": run.name,
        "folder": str(run.folder),
        "state": run.state,
        "why": run.why,
        "notes": run.notes,
        "parts": run.parts,
        "parameters": number(record.get("parameters")),
        "seconds": first_number(record.get("training_seconds"), *_last(run, "train/seconds")),
        "steps": first_number(record.get("steps"), run.log.steps),
        "epochs": first_number(record.get("epochs"), run.log.epochs),
        "started": run.started,
        "command": shorten(str(record.get("command") or ""), MAX_COMMAND),
        "metrics": run.metrics,
        "ceilings": run.ceilings,
        "curves": run.log.curves,
    }


def _best_first(
    sets: list[TestSet], mains: list[tuple[str, str]], excluded: dict[Path, dict[str, str]]
) -> list[Run]:
    """The best run of each test set, then the second of each, and so on."""
    ranked = [
        sorted(one.runs, key=lambda run: (bool(excluded[run.folder]), _rank(run, *main)))
        for one, main in zip(sets, mains, strict=True)
    ]
    return [run for place in itertools.zip_longest(*ranked) for run in place if run]


def _names(runs: list[Run], names: list[str]) -> list[str]:
    """The metrics that some of the runs have, in order."""
    own = {name for run in runs for name in run.metrics}
    return [name for name in names if name in own]


def recipe(run: Run) -> str:
    """What two runs share that differ by their seed alone."""
    settings = {key: value for key, value in run.settings.items() if key != "seed"}
    return json.dumps(settings, sort_keys=True) if settings else str(run.folder)


def _last(run: Run, curve: str) -> list[float]:
    """The last value of a curve, if there is one."""
    _, values = run.log.curves.get(curve, ([], []))
    return values[-1:]


def first_number(*values: Any) -> float | None:
    """The first of the values that is a finite number."""
    return next((found for value in values if (found := number(value)) is not None), None)


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
        return math.inf
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
        if f"test/{name}" in run.metrics and np.isfinite(values).all()
    }


def pairs(runs: list[Run], outputs: Mapping[Path, Outputs]) -> dict[str, list[dict[str, Any]]]:
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
