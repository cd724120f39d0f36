"""Averages of the weights are what is scored, kept and written into the bundle."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import lightning as L
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

Run = Callable[..., Any]
DECAY = 0.8


class Recorder(L.Callback):
    """Averages the weights itself, in double precision, behind each step."""

    average: ClassVar[dict[str, Tensor]] = {}

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        weights = {name: p.detach().double() for name, p in pl_module.model.named_parameters()}
        old = self.average if trainer.global_step > 1 else weights
        new = {name: DECAY * old[name] + (1 - DECAY) * weights[name] for name in weights}
        type(self).average = new


def test_the_bundle_holds_the_moving_average(
    train_tiny: Run, tmp_path: Path, importable: Callable[[type], str]
) -> None:
    train_tiny(
        tmp_path,
        "callbacks=[default,ema]",
        f"callbacks.ema.decay={DECAY}",
        f"+callbacks.recorder._target_={importable(Recorder)}",
        "monitor.name=val/loss",
    )
    bundle = load_file(tmp_path / "bundle" / "model.safetensors")
    for name, averaged in Recorder.average.items():
        if name in bundle:  # tied tables are written once
            torch.testing.assert_close(bundle[name].double(), averaged, atol=1e-6, rtol=1e-5)
    assert bundle.keys() & Recorder.average.keys()
    last = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    name = max(Recorder.average, key=lambda key: Recorder.average[key].numel())
    kept, now = last["state_dict"]["model." + name], last["current_model_state"]["model." + name]
    assert not torch.equal(kept, now)


class Validated(L.Callback):
    """Keeps the weights and the loss of each validation."""

    found: ClassVar[list[tuple[float, dict[str, Tensor]]]] = []

    def on_validation_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        state = {name: value.clone() for name, value in pl_module.model.state_dict().items()}
        self.found.append((float(trainer.callback_metrics["val/loss"]), state))


BY_LOSS = ("monitor.name=val/loss",)


@pytest.mark.parametrize(("choose", "kept"), [("best", True), ("last", False)])
def test_the_mean_of_checkpoints_stays_if_it_is_no_worse(
    train_tiny: Run,
    tmp_path: Path,
    importable: Callable[[type], str],
    choose: str,
    kept: bool,
) -> None:
    Validated.found.clear()
    metrics = train_tiny(
        tmp_path,
        "callbacks=[default,average]",
        "callbacks.average.count=2",
        f"callbacks.average.choose={choose}",
        f"+callbacks.validated._target_={importable(Validated)}",
        "trainer.max_epochs=5",
        "optimizer.lr=0.1",
        *BY_LOSS,
    )
    epochs, final = Validated.found[:5], Validated.found[5:]
    best = sorted(epochs, key=lambda one: one[0])
    first, second = (state for _, state in (best if choose == "best" else epochs[::-1])[:2])
    mean = {name: (first[name] + second[name]) / 2 for name in first}
    torch.testing.assert_close(final[0][1], mean)
    assert (final[0][0] <= best[0][0]) == kept
    assert len(final) == (1 if kept else 2)
    assert metrics["val/loss"] == final[-1][0]
    bundle = load_file(tmp_path / "bundle" / "model.safetensors")
    expected = mean if kept else best[0][1]
    torch.testing.assert_close(bundle, {name: expected[name] for name in bundle})


def test_a_moving_average_is_scored_as_the_best_checkpoint_has_it(
    train_tiny: Run, tmp_path: Path, importable: Callable[[type], str]
) -> None:
    Validated.found.clear()
    metrics = train_tiny(
        tmp_path,
        "callbacks=[default,ema]",
        f"callbacks.ema.decay={DECAY}",
        "trainer.max_epochs=4",
        "optimizer=sgd",
        "optimizer.lr=30",  # so that the best is not the last
        f"+callbacks.validated._target_={importable(Validated)}",
        "monitor.name=val/loss",
    )
    losses = [loss for loss, _ in Validated.found]
    assert min(losses[:4]) < losses[3]
    assert metrics["val/loss"] == pytest.approx(min(losses[:4]), rel=1e-6)


def test_means_of_moving_averages(
    train_tiny: Run, tmp_path: Path, importable: Callable[[type], str]
) -> None:
    train_tiny(
        tmp_path,
        "callbacks=[default,ema,average]",
        "callbacks.average.choose=last",
        "callbacks.average.count=2",
        f"callbacks.ema.decay={DECAY}",
        f"+callbacks.recorder._target_={importable(Recorder)}",
        *BY_LOSS,
    )
    (path,) = (tmp_path / "checkpoints").glob("average-*.ckpt")
    kept = torch.load(path, weights_only=True)["state_dict"]
    for name, averaged in Recorder.average.items():
        torch.testing.assert_close(kept["model." + name].double(), averaged, atol=1e-6, rtol=1e-5)
