"""Reading run folders, whole and broken ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tandem.core.errors import InputError
from tandem.core.lock import lock_folder
from tandem.reports.comparison import facts
from tandem.reports.curves import MAX_POINTS, read_log, thin
from tandem.reports.runs import Run, find_runs, flatten

WriteRun = Callable[..., Path]


def test_a_finished_run(write_run: WriteRun) -> None:
    folder = write_run("mine", right=1, hidden_size=8)
    (run,) = find_runs([folder.parent])
    assert (run.name, run.state, run.notes) == ("mine", "finished", [])
    assert run.parts == {"dataset": "toy", "encoder": "gru", "decoder": "gru", "attention": "dot"}
    assert run.settings["hidden_size"] == 8
    assert run.metrics == {"test/exact_match": pytest.approx(100 / 3), "test/loss": 2.0}
    assert run.log.curves == {"val/loss": ([1.0, 3.0], [3.0, 2.5])}  # the last line was cut off


def test_states_of_runs_that_did_not_get_far(write_run: WriteRun) -> None:
    (write_run("a-stopped") / "run.json").unlink()
    (write_run("b-cut") / "run.json").write_text('{"metrics": {')
    (write_run("c-config") / "config.yaml").write_text("a: [")
    (write_run("d-list") / "config.yaml").write_text("[1]")
    curves = write_run("e-curves") / "metrics.csv"
    curves.write_text("step,val/loss\n1,oops\n")
    runs = find_runs([curves.parents[1]])
    states = ["unfinished", "broken", "broken", "broken", "finished"]
    assert [run.state for run in runs] == states
    starts = ["run.json cannot be read: Expecting", "config.yaml cannot be read: while parsing"]
    starts += ["config.yaml cannot be read: it is not a mapping."]
    starts += ["metrics.csv cannot be read: could not convert"]
    notes = [note for run in runs for note in run.notes]
    assert len(notes) == 4
    assert all(note.startswith(start) for note, start in zip(notes, starts, strict=True))


def test_a_value_that_is_no_number_is_no_score(write_run: WriteRun) -> None:
    folder = write_run("diverged")
    (folder / "run.json").write_text('{"metrics": {"test/loss": NaN, "test/bleu": "high"}}')
    (run,) = find_runs([folder])
    assert (run.state, run.metrics) == ("finished", {})


def test_names_are_short_where_they_stay_different(write_run: WriteRun) -> None:
    first = write_run("2026-01-02_03-04-05-toy")
    write_run("2026-01-02_03-04-06-other")
    write_run("2026-01-02_03-04-07-other")
    again = write_run("nested/2026-01-02_03-04-06-other")
    names = [run.name for run in find_runs([first.parent, first])]
    assert names == [
        "toy",
        str(first.parent / "2026-01-02_03-04-06-other"),
        "2026-01-02_03-04-07-other",
        str(again),
    ]


def test_nothing_to_find(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"The folder .*/none does not exist; give folders"):
        find_runs([tmp_path / "none"])
    with pytest.raises(InputError, match=r"There is no run below .*config.yaml, so give"):
        find_runs([tmp_path])


def test_flatten() -> None:
    config = {
        "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True, "betas": [0.9, 0.98]},
        "callbacks": {"best": {"dirpath": "a", "mode": "max"}},
        "run": {"name": "b"},
    }
    assert flatten(config) == {
        "optimizer": "Adam",
        "optimizer.betas": "[0.9, 0.98]",
        "callbacks.best.mode": "max",
    }


def test_long_curves_keep_their_ends() -> None:
    steps, values = thin([(float(step), 2.0 * step) for step in range(1000)])
    assert len(steps) == MAX_POINTS
    assert (steps[0], steps[-1], values[-1]) == (0, 999, 1998)


def test_states_follow_the_record_and_the_lock(write_run: WriteRun) -> None:
    records: dict[str, dict[str, Any] | None] = {
        "finished": {"state": "finished", "why": "trainer.max_steps=4 reached"},
        "stopped": {"state": "stopped", "why": "SIGTERM"},
        "failed": {"state": "failed", "why": "CUDA out of memory"},
        "killed": {"state": "running"},
        "running": {"state": "running"},
        "unfinished": None,  # of a version that wrote its record at the end alone
    }
    for name, record in records.items():
        path = write_run(name) / "run.json"
        path.unlink() if record is None else path.write_text(json.dumps(record))
    with lock_folder(path.parents[1] / "running"):
        runs = {run.name: run for run in find_runs([path.parents[1]])}
    assert {name: run.state for name, run in runs.items()} == {name: name for name in records}
    assert runs["finished"].why == "trainer.max_steps=4 reached"
    assert "resume=true" in runs["killed"].why
    assert "no run.json" in runs["unfinished"].why
    assert runs["running"].why == ""


CURVE = "step,epoch,train/loss,val/loss\n9,0,3.0,\n9,0,,4.0\n19,1,2.0,\n19,1,,3.5\n"


@pytest.mark.parametrize(
    ("end", "steps", "last"),
    [
        ("20,2,,4.0\n", 20, 19),  # the best weights were validated again
        ("20,2,,4.0\n", None, 19),  # an older run, whose steps nobody counted
        ("20,2,,4.0\n20,2,,\n", None, 19),
        ("20,2,,3.9\n", 20, 19),  # an average of weights
        ("29,2,,3.0\n", 30, 29),
        ("29,2,,3.0\n", None, 29),
        ("29,2,1.0,4.0\n", None, 29),
    ],
)
def test_curves_end_with_training(tmp_path: Path, end: str, steps: int | None, last: int) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(CURVE + end)
    log = read_log(path, steps)
    assert log.curves["val/loss"][0][-1] == last
    assert (log.steps, log.epochs) == (last + 1, 3 if last == 29 else 2)


def test_tests_are_no_curves(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("step,train/loss,test/bleu\n9,1.0,\n10,,50.0\n")
    assert read_log(path).curves == {"train/loss": ([9.0], [1.0])}


@pytest.mark.parametrize(
    ("references", "ceilings"),
    [
        ({"test": {"rows": 2, "unwritable": 1, "ceilings": {"test/wer": 2}}}, {"test/wer": 2.0}),
        ({"test": {"ceilings": {"test/wer": "2", "a": None, "b": float("nan")}}}, {}),
        ({"test": {"ceilings": [1]}, "train": [], "validation": {}}, {}),
        ([1, 2], {}),
        (None, {}),
    ],
    ids=["whole", "no numbers", "no mappings", "a list", "nothing"],
)
def test_ceilings(tmp_path: Path, references: object, ceilings: dict[str, float]) -> None:
    run = Run(tmp_path, record={"references": references})
    assert run.ceilings == ceilings
    assert facts(run)["ceilings"] == ceilings
