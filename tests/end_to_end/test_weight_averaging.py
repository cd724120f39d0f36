"""Averages of the weights are what is scored, kept and written into the bundle."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import lightning as L
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
        "monitor.mode=min",
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
