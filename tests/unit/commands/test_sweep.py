"""What a trial of a sweep finds in its process."""

import os
import time
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from tandem.commands import sweep
from tandem.sweeps.gpus import MASK
from tandem.sweeps.trials import Trials
from tests.unit.sweeps.test_runner import RECORD
from tests.unit.sweeps.test_trials import GRID

OPTIONS = {"workers": 2, "time_limit": None, "stalled_after": None, "retries": 0}


def test_trials_at_a_time_have_a_gpu_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each of the first two waits for the other; those behind them take what becomes free."""

    def training(command: str, arguments: list[str]) -> None:
        (folder,) = (word for word in arguments if word.startswith("run.folder="))
        path = Path(folder.partition("=")[2].strip("'\""))
        (path / "gpu").write_text(os.environ[MASK])
        end = time.monotonic() + 60
        while len(list(tmp_path.glob("*/gpu"))) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        (path / "run.json").write_text(RECORD)

    monkeypatch.setattr(sweep.cli, "call", training)
    plan, trials = sweep.Plan(GRID, tmp_path, []), Trials(GRID, tmp_path, count=None, seed=0)
    runner = sweep._runner(plan, trials, OmegaConf.create(OPTIONS), loggers=[], gpus=["3", "5"])
    runner.run()
    gpus = [(plan.run_folder(row.number) / "gpu").read_text() for row in trials.rows()]
    assert sorted(gpus[:2]) == ["3", "5"]
    assert len(gpus) > 2
    assert set(gpus) == {"3", "5"}
