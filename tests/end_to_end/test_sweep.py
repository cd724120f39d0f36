"""``tandem sweep`` as a process that is killed, stopped and started again."""

import csv
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tandem.commands import sweep
from tandem.core.lock import lock_folder
from tandem.core.run_record import is_finished, read_record

SERVER = """
import json, os, sys
from tandem.commands import cli, sweep

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.dup2(os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.dup2(1, 2)
        try:
            cli.call("sweep", json.loads(line))
        except SystemExit as end:
            os._exit(end.code)
        os._exit(0)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
"""Imports once, then forks a ``tandem sweep``, the first of its process group, for each line."""

TRAINING = [
    "dataset=reverse",
    "dataset.size=40",
    "dataset.max_length=4",
    "dataset.symbols=5",
    "hidden_size=8",
    "batching.max_sentences=8",
    "trainer=cpu",
    "trainer.max_steps=2",
    "trainer.val_check_interval=1",
    "callbacks=[best,last]",
    "logger=csv",
    "test=false",
    "${args_no_hyphens}",
]
GRID = {
    "command": ["tandem", "train", *TRAINING],
    "method": "grid",
    "metric": {"name": "val/loss", "goal": "minimize"},
    "parameters": {
        "encoder": {"values": ["gru", "rnn"]},
        "attention": {"values": ["none", "dot"]},
        "optimizer.lr": {"values": [0.001, 0.01]},
    },
}

PACKAGES = Path(sweep.__file__).parents[1]
Rows = list[dict[str, str]]


class Server:
    """Starts sweeps in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PACKAGES)},
        )

    def start(self, *arguments: str) -> int:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return self._read()

    def exit_code(self) -> int:
        return self._read()

    def run(self, *arguments: str) -> str:
        self.start(*arguments)
        assert self.exit_code() == 0, self.output()
        return self.output()

    def output(self) -> str:
        return (self.folder / "output.txt").read_text()

    def close(self) -> None:
        with self._process as process:
            assert process.stdin
            process.stdin.close()

    def _read(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("sweeps"))
    yield server
    server.close()


def write_study(server: Server, name: str, **changes: Any) -> str:
    path = server.folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({**GRID, **changes}))
    return path.name


def read_rows(folder: Path) -> Rows:
    with (folder / "trials.csv").open() as file:
        return [{**row, "seconds": ""} for row in csv.DictReader(file)]


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "what was waited for did not happen"
        time.sleep(0.01)


def finished_runs(folder: Path) -> dict[str, float]:
    """The folders' names, and when their records were written."""
    folders = [path.parent for path in folder.glob("*/run.json")]
    return {
        path.name: (path / "run.json").stat().st_mtime
        for path in folders
        if is_finished(read_record(path))
    }


def test_a_killed_sweep_loses_and_repeats_nothing(server: Server) -> None:
    sweeps = server.folder / "outputs" / "sweeps"
    straight = server.run(write_study(server, "straight"), "workers=2")
    study = write_study(server, "killed")
    for enough, kill in ((2, os.killpg), (5, os.kill)):  # the second time without its trainings
        pid = server.start(study, "workers=2")
        wait_for(lambda enough=enough: len(finished_runs(sweeps / "killed")) >= enough)
        kill(pid, signal.SIGKILL)
        assert server.exit_code() == -signal.SIGKILL
        assert len(finished_runs(sweeps / "killed")) < 8
    whole = finished_runs(sweeps / "killed")
    output = server.run(study, "workers=2")

    rows = read_rows(sweeps / "killed")
    assert [int(row["number"]) for row in rows] == list(range(8))
    assert rows == read_rows(sweeps / "straight")
    assert {row["state"] for row in rows} == {"complete"}
    assert len(list(sweeps.glob("killed/[0-9]*"))) == 8
    assert whole.items() <= finished_runs(sweeps / "killed").items()
    best = [
        json.loads((sweeps / name / "best.json").read_text()) for name in ("killed", "straight")
    ]
    assert best[0]["value"] == best[1]["value"] == min(float(row["val/loss"]) for row in rows)
    assert best[0]["command"] == best[1]["command"]
    assert best[0]["command"] in output
    assert best[0]["command"] in straight


def test_ctrl_c_says_how_to_go_on(server: Server) -> None:
    folder = server.folder / "outputs" / "sweeps" / "stopped"
    study = write_study(server, "stopped", parameters={"seed": {"values": [1, 2]}})
    long = ("batching.max_sentences=1", "trainer.max_epochs=-1", "data.overfit=1")
    pid = server.start(study, *long)
    wait_for((folder / "0000" / "train.log").exists)
    os.kill(pid, signal.SIGINT)
    assert server.exit_code() == 128 + signal.SIGINT
    assert f"Stopped; to go on: tandem sweep {study} {' '.join(long)}\n" in server.output()
    assert not (folder / "0001").exists()
    output = server.run(study, *long, "average=[seed]")
    assert "Trials: 2, in" in output
    assert {row["state"] for row in read_rows(folder)} == {"complete"}
    losses = [
        json.loads((folder / number / "run.json").read_text())["metrics"]["val/loss"]
        for number in ("0000", "0001")
    ]
    assert f"{statistics.fmean(losses):.3f} ± {statistics.stdev(losses):.3f}" in output


def test_a_failed_trial_is_recorded_and_tried_again(server: Server) -> None:
    own_files = ["dataset=csv", "dataset.source=a", "dataset.target=b"]
    training = [word for word in TRAINING if not word.startswith("dataset")]
    study = write_study(
        server,
        "failing",
        command=["tandem", "train", *own_files, *training],
        parameters={"dataset.data_dir": {"values": ["later", "there"]}},
    )
    folder = server.folder / "outputs" / "sweeps" / "failing"
    write_tables(server.folder / "there")
    output = server.run(study)
    failed, complete = read_rows(folder)
    assert (failed["state"], complete["state"]) == ("failed", "complete")
    assert "later" in failed["error"]
    assert f"Trial 0 failed: {failed['error']}\nretry_failed=true runs" in output

    write_tables(server.folder / "later")
    server.run(study, "retry_failed=true")
    rows = read_rows(folder)
    assert [(row["number"], row["state"]) for row in rows] == [("1", "complete"), ("2", "complete")]
    assert rows[0]["val/loss"] == rows[1]["val/loss"]


def write_tables(folder: Path) -> None:
    folder.mkdir()
    for split in ("train", "validation", "test"):
        (folder / f"{split}.csv").write_text("a,b\n" + "x y,y x\n" * 8)


def test_a_finished_sweep_is_left_as_it_is(server: Server) -> None:
    study = write_study(server, "small", parameters={"seed": {"values": [1]}})
    server.run(study)
    folder = server.folder / "outputs" / "sweeps" / "small"
    before = {path: path.stat().st_mtime for path in folder.glob("*/*")}
    assert "Trials: 1, in" in server.run(study)

    with lock_folder(folder):
        server.start(study)
        assert server.exit_code() == 2
    assert server.output() == (
        f"error: The sweep in outputs/sweeps/small is being run by process {os.getpid()} on "
        f"{socket.gethostname()}; wait for it, or choose another folder=...\n"
    )

    server.start(study, "hidden_size=16")
    assert server.exit_code() == 2
    assert server.output() == (
        "error: The sweep in outputs/sweeps/small began with another study: overrides differ; "
        "give the same, or choose another folder=...\n"
    )
    assert {path: path.stat().st_mtime for path in folder.glob("*/*")} == before
