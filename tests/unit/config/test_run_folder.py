"""A run's folder has one run, one writer, and a record of how the run ended."""

import json
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig

from tandem.config.run_folder import recorded, run_folder
from tandem.core.errors import InputError
from tandem.core.files import make_new_folder, remove_dead_parts, replacing
from tandem.core.run_record import is_finished, read_record, write_record
from tandem.core.stopping import Stopped

Compose = Callable[..., DictConfig]
FINISHED = {"state": "finished", "metrics": {"test/loss": 1.0}}


def test_two_runs_of_one_second_get_two_names(
    compose_config: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = compose_config("train"), compose_config("train")
    second.run.name = first.run.name = "${now:%Y}-run"
    with run_folder(first) as one, run_folder(second) as two:
        assert one == Path(f"outputs/{datetime.now().year}-run")
        assert str(two) == f"{one}-2" == second.run.folder == f"outputs/{second.run.name}"


@pytest.mark.parametrize(
    ("overrides", "holding", "rule"),
    [
        ([], True, "is being trained by process "),
        (["resume=true"], True, "is being trained by process "),
        ([], False, " already exists; choose another run.folder, or continue that run"),
    ],
)
def test_a_folder_that_is_given_is_refused_to_a_second_run(
    compose_config: Compose, tmp_path: Path, overrides: list[str], holding: bool, rule: str
) -> None:
    folder = f"run.folder={tmp_path / 'run'}"
    with run_folder(compose_config("train", folder)) as path:
        (path / "config.yaml").touch()
        if holding:
            with (
                pytest.raises(InputError, match=rule),
                run_folder(compose_config("train", folder, *overrides)),
            ):
                pass
    if not holding:
        with pytest.raises(InputError, match=rule), run_folder(compose_config("train", folder)):
            pass


@pytest.mark.parametrize("error", [InputError("The data is bad."), Stopped(signal.SIGTERM)])
def test_a_start_that_fails_leaves_no_folder(
    compose_config: Compose, tmp_path: Path, error: BaseException
) -> None:
    cfg = compose_config("train", f"run.folder={tmp_path / 'new' / 'run'}")
    with suppress(type(error)), run_folder(cfg) as path, recorded(path):
        (path / "train.log").touch()
        raise error
    assert not (tmp_path / "new" / "run").exists()


@pytest.mark.parametrize(
    ("error", "state", "why"),
    [
        (InputError("The data is bad."), "failed", "The data is bad."),
        (ZeroDivisionError("by zero\nindeed"), "failed", "ZeroDivisionError: by zero"),
        (Stopped(signal.SIGHUP), "stopped", "SIGHUP stopped it"),
    ],
)
def test_a_record_says_how_a_run_ended(
    tmp_path: Path, error: BaseException, state: str, why: str
) -> None:
    with suppress(type(error)), recorded(tmp_path, command="tandem train"):
        assert read_record(tmp_path)["state"] == "running"
        raise error
    record = read_record(tmp_path)
    assert (record["state"], record["why"], record["command"]) == (state, why, "tandem train")
    assert record["started"] <= record["ended"]
    assert not is_finished(record)


@pytest.mark.parametrize("changed", [False, True])
def test_a_finished_run_that_cannot_go_on_stays_finished(tmp_path: Path, changed: bool) -> None:
    write_record(tmp_path, FINISHED)
    with suppress(InputError), recorded(tmp_path):
        if changed:
            (tmp_path / "metrics.csv").touch()
        raise InputError("The data is bad.")
    assert is_finished(read_record(tmp_path)) != changed
    assert read_record(tmp_path)["metrics"] == FINISHED["metrics"]


@pytest.mark.parametrize(
    ("record", "finished"),
    [
        ({"metrics": {}}, True),  # of an older version
        (FINISHED, True),
        ({"state": "running", "metrics": {}}, False),
        ({}, False),
        ([], False),
        ("{", False),
    ],
)
def test_which_records_are_of_finished_runs(tmp_path: Path, record: Any, finished: bool) -> None:
    text = record if isinstance(record, str) else json.dumps(record)
    (tmp_path / "run.json").write_text(text)
    assert is_finished(read_record(tmp_path)) == finished


def test_of_two_folders_of_one_name_the_second_gets_a_number(tmp_path: Path) -> None:
    wanted = tmp_path / "evaluations" / "2026-01-01_00-00-00-test"
    names = [make_new_folder(wanted).name for _ in range(3)]
    assert names == [wanted.name, f"{wanted.name}-2", f"{wanted.name}-3"]


def test_what_killed_writers_left_is_removed(tmp_path: Path) -> None:
    own = [tmp_path / ".own", tmp_path / ".own.notes", tmp_path / "a.b3456789"]
    dead = [tmp_path / ".run.json.ab345678", tmp_path / "checkpoints" / ".last.ckpt.abcdef00"]
    for path in (*own, *dead):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with replacing(tmp_path / "metrics.csv") as alive:
        remove_dead_parts(tmp_path)
        assert alive.exists()
    assert not any(path.exists() for path in dead)
    assert all(path.exists() for path in own)
