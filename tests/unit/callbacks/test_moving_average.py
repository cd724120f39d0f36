"""The moving average of what a model holds."""

from typing import Any

import lightning as L
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from tandem.callbacks import MovingAverage


class Normalised(L.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.BatchNorm1d(1)


def test_buffers_are_averaged_and_counters_copied() -> None:
    module = Normalised()
    callback = MovingAverage(decay=0.75, start=0)
    trainer = L.Trainer(logger=False, accelerator="cpu")
    callback.setup(trainer, module, "fit")
    callback.on_fit_start(trainer, module)
    layer = module.layer
    for step, value in enumerate([4.0, 8.0]):
        layer.running_mean.fill_(value)
        nn.init.constant_(layer.weight, value)
        layer.num_batches_tracked.fill_(step + 1)
        callback._update(first=step == 0)
    average = callback._average_model.module.layer
    assert average.running_mean.item() == pytest.approx(0.75 * 4 + 0.25 * 8)
    assert average.weight.item() == pytest.approx(0.75 * 4 + 0.25 * 8)
    assert average.num_batches_tracked.item() == 2
    assert torch.equal(layer.running_mean, torch.tensor([8.0]))


def test_an_update_is_one_operation_for_weights_and_one_for_counters() -> None:
    operations: list[str] = []

    class Noting(TorchDispatchMode):
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            operations.append(func.overloadpacket.__name__)
            return func(*args, **(kwargs or {}))

    module = Normalised()
    callback = MovingAverage(decay=0.75, start=0)
    trainer = L.Trainer(logger=False, accelerator="cpu")
    callback.setup(trainer, module, "fit")
    callback.on_fit_start(trainer, module)
    callback._update(first=True)
    with Noting():
        callback._update(first=False)
    assert operations == ["_foreach_lerp_", "_foreach_copy_"]
