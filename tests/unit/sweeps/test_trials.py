"""Which trial comes next, after whatever happened to those before."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tandem.core.errors import InputError
from tandem.sweeps.parameters import Choice, FloatRange, IntRange
from tandem.sweeps.study import Halving, Study
from tandem.sweeps.table import as_csv
from tandem.sweeps.trials import Trials

GRID = Study(
    name="test",
    method="grid",
    metric="val/loss",
    goal="minimize",
    parameters={"a": Choice(("x", "y")), "b": Choice(("1", "2"))},
    fixed={},
    halving=None,
    cap=None,
)
DRAWN = replace(
    GRID,
    method="random",
    parameters={"lr": FloatRange(0.001, 1.0, log=True), "size": IntRange(1, 9)},
    cap=4,
)


def open_trials(study: Study, folder: Path, **options: Any) -> Trials:
    return Trials(study, folder, **{"count": None, "seed": 0, **options})


def test_a_grid_has_each_point_once_whenever_it_is_opened_again(tmp_path: Path) -> None:
    points = []
    for place in range(4):
        trials = open_trials(GRID, tmp_path)
        first = trials.next()  # of the second round on: the one that was left running
        assert first is not None
        assert first.number == max(0, place - 1)
        if place:
            first.complete(float(place), 1.0)
            points.append(first.point)
            second = trials.next()
            assert second is not None
            assert second.number == place
    last = open_trials(GRID, tmp_path).next()
    assert last is not None
    points.append(last.point)
    assert points == GRID.grid()
    last.fail("it broke", 2.0)
    trials = open_trials(GRID, tmp_path)
    assert trials.next() is None
    assert [row.state for row in trials.rows()] == ["complete"] * 3 + ["failed"]
    best = trials.best()
    assert best is not None
    assert (best.number, best.value) == (0, 1.0)
    assert as_csv(trials.rows(), "val/loss").splitlines()[3:] == [
        "2,complete,3.0,1.0,y,1,",
        "3,failed,,2.0,y,2,it broke",
    ]


def test_failed_trials_run_again_once(tmp_path: Path) -> None:
    trials = open_trials(GRID, tmp_path)
    broken = trials.next()
    assert broken is not None
    broken.fail("it broke", 1.0)
    for _ in range(2):
        trials.retry_failed()
    retried = trials.next()
    assert retried is not None
    assert (retried.number, retried.point) == (1, broken.point)
    following = trials.next()
    assert following is not None
    assert following.point == GRID.grid()[1]
    assert [row.number for row in trials.rows()] == [1, 2]


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_draws_do_not_depend_on_restarts(tmp_path: Path, method: Any) -> None:
    study = replace(DRAWN, method=method)
    drawn = []
    for name, restarts in (("straight", False), ("broken", True)):
        (tmp_path / name).mkdir()
        trials = open_trials(study, tmp_path / name)
        points = []
        while trial := trials.next():
            points.append(trial.point)
            if restarts:
                trials = open_trials(study, tmp_path / name)
                again = trials.next()
                assert again is not None
                assert again.point == trial.point
                trial = again
            trial.complete(1.0, 1.0)
        drawn.append(points)
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == len({str(point) for point in drawn[0]}) == 4


def test_the_worse_half_stops_early(tmp_path: Path) -> None:
    trials = open_trials(replace(GRID, halving=Halving(first=2, factor=2)), tmp_path)
    good, bad = trials.next(), trials.next()
    assert good is not None
    assert bad is not None
    assert not good.is_hopeless([3.0])
    assert not good.is_hopeless([3.0, 1.0])
    assert not bad.is_hopeless([9.0])
    reopened = open_trials(trials.study, tmp_path)
    _, bad = reopened.next(), reopened.next()
    assert bad is not None
    assert bad.is_hopeless([9.0, 2.0])
    bad.prune(1.0)
    assert reopened.rows()[1].state == "pruned"


@pytest.mark.parametrize(("value", "error"), [(None, "validation"), (float("nan"), "not a number")])
def test_no_value_is_a_failure(tmp_path: Path, value: float | None, error: str) -> None:
    trials = open_trials(GRID, tmp_path)
    trial = trials.next()
    assert trial is not None
    trial.complete(value, 1.0)
    (row,) = trials.rows()
    assert row.state == "failed"
    assert error in row.error


@pytest.mark.parametrize(("count", "total"), [(None, 4), (3, 3), (9, 4)])
def test_how_many(tmp_path: Path, count: int | None, total: int) -> None:
    assert open_trials(GRID, tmp_path, count=count).total == total


def test_draws_have_no_end_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_trials(replace(DRAWN, cap=None), tmp_path)
    assert str(caught.value) == (
        "The study test draws its trials (random) and does not say how many; add trials=20, or "
        "run_cap to its file."
    )
