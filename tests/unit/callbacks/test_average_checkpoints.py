"""Which validations' weights are kept for the mean, also by a run that was killed."""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch

from tandem.callbacks import AtomicCheckpointIO, AverageCheckpoints, LastCheckpoint, mean_of
from tandem.core.errors import InputError

SCORES = [3.0, 1.0, 2.0, 5.0, 4.0]


class KilledError(Exception):
    """What ends a run in these tests."""


class Scores(L.Callback):
    """Gives each validation a score, and ends the process' work the hard way behind one."""

    def __init__(self, kill_behind: int | None) -> None:
        self.kill_behind = kill_behind

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        pl_module.log("val/score", SCORES[trainer.current_epoch])

    def on_validation_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        if trainer.current_epoch == self.kill_behind:
            raise KilledError


def average(folder: Path, *, count: int = 2, choose: str = "best", mode: str = "max") -> Any:
    return AverageCheckpoints(
        folder=str(folder), count=count, choose=choose, monitor="val/score", mode=mode
    )


@pytest.fixture
def run(tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, tmp_path: Path) -> Any:
    """Five epochs of two steps, and what they keep."""

    def fit(choose: str, mode: str, *, kill_behind: int | None = None, resume: bool = False) -> Any:
        keeper = average(tmp_path, choose=choose, mode=mode)
        last = LastCheckpoint(folder=str(tmp_path), every_n_train_steps=0, keep_previous=False)
        trainer = tiny_trainer(
            callbacks=[keeper, Scores(kill_behind), last],
            plugins=[AtomicCheckpointIO()],
            max_epochs=5,
            enable_checkpointing=True,
        )
        path = str(tmp_path / "last.ckpt") if resume else None
        with suppress(KilledError):
            trainer.fit(tiny_module(), tiny_loader(2), tiny_loader(1), ckpt_path=path)
        return keeper

    return fit


@pytest.mark.filterwarnings("ignore:Checkpoint directory")
@pytest.mark.parametrize(
    ("choose", "mode", "epochs"),
    [("best", "max", [4, 5]), ("best", "min", [2, 3]), ("last", "min", [4, 5])],
)
@pytest.mark.parametrize("kill_behind", [None, 2, 3])
def test_what_is_kept(
    run: Callable[..., Any],
    tmp_path: Path,
    choose: str,
    mode: str,
    epochs: list[int],
    kill_behind: int | None,
) -> None:
    if kill_behind is not None:
        run(choose, mode, kill_behind=kill_behind)
        state = torch.load(tmp_path / "last.ckpt", weights_only=True)["callbacks"]
        saved = average(tmp_path, choose=choose)
        saved.load_state_dict(state["AverageCheckpoints"])
        assert len(saved.paths()) == 2
        assert all(path.is_file() for path in saved.paths())
    keeper = run(choose, mode, kill_behind=None, resume=kill_behind is not None)
    assert keeper.paths() == [tmp_path / f"average-{2 * epoch}.ckpt" for epoch in epochs]
    for path in keeper.paths():
        assert torch.load(path, weights_only=True)["state_dict"].keys() == {"weight"}
    assert len(list(tmp_path.glob("average-*.ckpt"))) <= 3


def test_mean_by_hand() -> None:
    states = [{"a": torch.tensor([1.0, 5.0])}, {"a": torch.tensor([2.0, 7.0])}]
    assert torch.equal(mean_of(states)["a"], torch.tensor([1.5, 6.0]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 1}, "`callbacks.average.count` must be at least 2, but is 1."),
        (
            {"choose": "first"},
            "`callbacks.average.choose` must be one of best, last, but is 'first'.",
        ),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        average(Path(), **options)
