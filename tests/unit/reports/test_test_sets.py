"""Which runs are ranked together."""

from pathlib import Path
from typing import Any

import pytest

from tandem.reports.curves import TrainingLog
from tandem.reports.outputs import Outputs
from tandem.reports.runs import Run
from tandem.reports.test_sets import exclusions, find_test_sets


def run(name: str, dataset: str = "scan", **settings: Any) -> Run:
    config = {"run": {"tags": [f"dataset={dataset}"]}}
    return Run(
        Path(name), name=name, config=config, settings=settings, record={"metrics": {"a": 1}}
    )


@pytest.mark.parametrize(
    ("settings", "splits"),
    [
        ({}, []),
        ({"trainer.limit_test_batches": None, "trainer.limit_val_batches": 1.0}, []),
        ({"trainer.limit_train_batches": 3}, []),
        ({"trainer.limit_test_batches": 1}, ["test"]),
        ({"trainer.limit_val_batches": 0.5}, ["val"]),
        ({"data.overfit": 32}, ["test", "val"]),
        ({"trainer.overfit_batches": 0.0, "trainer.fast_dev_run": False}, []),
        ({"trainer.fast_dev_run": True}, ["test", "val"]),
    ],
)
def test_what_ranks_with_none(settings: dict[str, Any], splits: list[str]) -> None:
    assert list(exclusions(run("a", **settings))) == splits


def test_runs_on_the_same_rows_are_one_set() -> None:
    small = {"dataset.split": "simple", "dataset.size": 10}
    runs = [
        run("whole", **small),
        run("other data for training", **{"dataset.split": "simple", "dataset.size": 20}),
        run("no outputs", **small),
        run("other place", **small, **{"dataset.data_dir": "elsewhere"}),
        run("part", **small, **{"trainer.limit_test_batches": 1}),
        run("all batches", **small, **{"trainer.limit_test_batches": 900}),
        run("other rows", **{"dataset.split": "length"}),
        run("other set", "multi30k"),
        Run(Path("broken")),
    ]
    rows = {"part": ("few", 3), "other rows": ("length", 7)}
    kept = {
        one.folder: Outputs(*rows.get(one.name, ("simple", 30)))
        for one in runs
        if one.name not in ("no outputs", "other place", "other set")
    }
    sets = find_test_sets(runs, kept)
    assert {one.label: [run.name for run in one.runs] for one in sets} == {
        "scan, split=simple, size=10, 30 test rows": [
            "whole",
            "other data for training",
            "no outputs",
            "other place",
            "part",
            "all batches",
        ],
        "scan, split=length, 7 test rows": ["other rows"],
        "multi30k": ["other set"],
    }
    excluded = {run.name: sets[0].exclusions(run, kept.get(run.folder)) for run in sets[0].runs}
    assert [name for name, reasons in excluded.items() if reasons] == ["part"]
    assert excluded["part"]["test"].endswith("(trainer.limit_test_batches=1)")
    assert find_test_sets(runs[::-1], kept)[0].id == sets[0].id


def test_an_unfinished_run_has_scores_but_no_place() -> None:
    log = TrainingLog({"val/loss": ([1.0, 2.0], [4.0, 3.0]), "train/loss": ([1.0], [5.0])})
    unfinished = Run(Path("a"), config={"seed": 0}, record={"state": "running"}, log=log)
    assert unfinished.metrics == {"val/loss": 3.0}
    assert list(exclusions(unfinished)) == ["val"]
