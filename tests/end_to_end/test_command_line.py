"""The command as a user calls it, in a process of its own: slow, so there are few of these."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TANDEM = [sys.executable, "-c", "from tandem.commands.cli import main; main()"]


def tandem(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    package = Path(__file__).parents[2] / "src"
    environment = {**os.environ, "PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*TANDEM, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_a_multirun_is_quiet_and_leaves_two_runs(tmp_path: Path, tiny: tuple[str, ...]) -> None:
    options = [item for item in tiny if not item.startswith(("logger", "hidden_size"))]
    done = tandem(tmp_path, "train", "--multirun", "attention=none,dot", "hidden_size=8", *options)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    told = (
        "Run folder: ",
        "Monitor: ",
        "Data: ",
        "Length: ",
        "Model: ",
        " is exact_match|",
        "epoch ",
        "Trained for ",
        "This attention has",
    )
    assert [line for line in lines if not any(text in line for text in told)] == []
    assert "warn" not in (done.stdout + done.stderr).lower()
    assert "test/exact_match" in done.stdout
    runs = sorted(path for path in (tmp_path / "outputs").iterdir() if path.name[0] != ".")
    assert len(runs) == 2
    for path in runs:
        attention = {"0": "none", "1": "dot"}[path.name[-1]]
        assert path.name.endswith(f"-reverse-gru-{attention}-gru-{path.name[-1]}")
        command = json.loads((path / "run.json").read_text())["command"]
        assert command.startswith(f"tandem train attention={attention} hidden_size=8 dataset=rev")
        assert (path / "bundle").is_dir()
    assert {path.name for path in tmp_path.iterdir()} == {"outputs"}


@pytest.mark.slow
def test_a_loss_that_explodes_ends_with_code_2(tmp_path: Path, tiny: tuple[str, ...]) -> None:
    options = ("optimizer=sgd", "optimizer.lr=1e38", "trainer.gradient_clip_val=null")
    done = tandem(tmp_path, "train", *tiny, *options, "run.folder=run")
    assert done.returncode == 2
    *_, last = done.stderr.splitlines()
    assert last.startswith("error: The loss of step ")
    assert "Traceback" not in done.stderr
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["state"] == "failed"
    assert last == f"error: {record['why']}"
