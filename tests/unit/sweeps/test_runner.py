"""Trials whose processes are killed, stand still, take too long or find the disk full."""

import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tandem.core.errors import NoRoomError
from tandem.sweeps import process, storage
from tandem.sweeps.parameters import MOST_PROBES, Choice
from tandem.sweeps.process import TrialProcess
from tandem.sweeps.runner import Limits, Runner
from tandem.sweeps.table import View
from tandem.sweeps.trials import Row, Trial, Trials
from tests.unit.sweeps.test_trials import GRID

ONE = replace(GRID, parameters={"a": Choice(("x",))})
RECORD = '{"state": "finished", "metrics": {"val/loss": 1.0}}'
Command = Callable[[Path], None]


def killed(folder: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def terminated(folder: Path) -> None:
    """As a training that saves and ends."""
    sys.exit(128 + signal.SIGTERM)


def stopped(folder: Path) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def asleep(folder: Path) -> None:
    time.sleep(60)


def busy(folder: Path) -> None:
    while True:
        pass


def full(folder: Path) -> None:
    print("error: There is no room on the disk.")
    sys.exit(NoRoomError.exit_code)


def finish(folder: Path) -> None:
    (folder / "run.json").write_text(RECORD)


def run(
    folder: Path, commands: list[Command], *, time_limit: float | None = None
) -> tuple[Row, list[Command]]:
    """Run a sweep of one trial, of which each process calls the next command.

    :return: the trial, and the commands that were not called.
    """
    trials = Trials(ONE, folder, count=None, seed=0)

    def start(trial: Trial) -> TrialProcess:
        command = commands.pop(0)
        return TrialProcess(lambda arguments: command(folder / "0"), [], folder / "0")

    runner = Runner(
        trials,
        start=start,
        run_folder=lambda number: folder / str(number),
        write_results=lambda: None,
        view=View(metric="val/loss", goal="minimize", total=1),
        workers=1,
        limits=Limits(time_limit=time_limit, stalled_after=0.4, retries=2),
    )
    runner.run()
    (row,) = trials.rows()
    return row, commands


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SECONDS_BETWEEN_SIGNS", 0.1)
    monkeypatch.setattr("tandem.sweeps.runner.SECONDS_BETWEEN_LOOKS", 0.05)


@pytest.mark.parametrize("command", [killed, terminated, stopped, asleep])
def test_a_lost_process_is_replaced(command: Command, tmp_path: Path) -> None:
    row, left = run(tmp_path, [command, command, finish])
    assert (row.state, row.value, left) == ("complete", 1.0, [])


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (killed, "ended by SIGKILL, perhaps for want of memory"),
        (asleep, "no sign of work for stalled_after=0.4 seconds"),
    ],
)
def test_a_trial_fails_behind_its_retries(command: Command, error: str, tmp_path: Path) -> None:
    row, left = run(tmp_path, [command, command, command, finish])
    assert (row.state, row.error, left) == ("failed", error, [finish])


def test_a_trial_that_computes_for_ever_ends_by_its_limit(tmp_path: Path) -> None:
    row, _ = run(tmp_path, [busy], time_limit=1.0)
    assert (row.state, row.error) == ("failed", "it took more than time_limit=1 seconds")


def test_a_full_disk_stops_the_sweep_and_the_trial_goes_on_later(tmp_path: Path) -> None:
    with pytest.raises(NoRoomError, match="Trial 0 found no room on the disk"):
        run(tmp_path, [full])
    row, _ = run(tmp_path, [finish])
    assert (row.number, row.state) == (0, "complete")


def test_a_locked_database_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(storage, "SECONDS_BETWEEN_TRIES", 0.05)
    monkeypatch.setattr(storage, "SECONDS_UNTIL_LOCKED", 0.05)
    trials = Trials(ONE, tmp_path, count=None, seed=0)
    reader = sqlite3.connect(tmp_path / "study.db", check_same_thread=False)
    reader.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(0.5, reader.rollback)
    timer.start()
    trial = trials.next()
    timer.join()
    assert trial is not None
    trial.complete(1.0, 0.0)
    assert [row.state for row in trials.rows()] == ["complete"]
    assert caplog.text.count("waits for study.db") == 1


@pytest.mark.parametrize(
    ("texts", "probes"),
    [
        ([*map(str, range(3, 1003)), "1e-3", "0.5"], {"3", "1002", "1e-3", "0.5"}),
        (["gru", "lstm", "64"], {"gru", "lstm", "64"}),
    ],
)
def test_few_values_stand_for_many(texts: list[str], probes: set[str]) -> None:
    assert set(Choice(tuple(texts)).probes()) == probes
    many = Choice(tuple(f"option{number}" for number in range(1000)))
    assert len(many.probes()) <= MOST_PROBES + 1
