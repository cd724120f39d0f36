"""Reading run folders, whole and broken ones."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tandem.core.errors import InputError
from tandem.reports.runs import MAX_POINTS, find_runs, flatten, thin

WriteRun = Callable[..., Path]


def test_a_finished_run(write_run: WriteRun) -> None:
    folder = write_run("mine", right=1, hidden_size=8)
    (run,) = find_runs([folder.parent])
    assert (run.name, run.state, run.notes) == ("mine", "finished", [])
    assert run.parts == {"dataset": "toy", "encoder": "gru", "decoder": "gru", "attention": "dot"}
    assert run.settings["hidden_size"] == 8
    assert run.metrics == {"test/exact_match": pytest.approx(100 / 3), "test/loss": 2.0}
    assert run.curves == {"val/loss": ([1.0, 3.0], [3.0, 2.5])}  # the last line was cut off


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
    starts = ["run.json cannot be read (Expecting", "config.yaml cannot be read (while parsing"]
    starts += ["config.yaml is not a mapping.", "metrics.csv cannot be read (could not convert"]
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
