"""An exponential moving average of the weights: Polyak & Juditsky (1992), with a horizon."""

from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import WeightAveraging

from tandem.core.shards import own_part, share_out_like


class MovingAverage(WeightAveraging):
    """``a <- d a + (1 - d) w`` after each step; the average is validated, saved and kept.

    All weights are averaged by one operation over their list, and which step is the first one is
    known on the host: Lightning's own walks through the modules and asks the device each time.
    Buffers, such as statistics of a batch normalisation, are averaged, too; counters are copied.

    :param decay: d; the average reaches back over some ``1 / (1 - d)`` steps.
    :param start: the first step that counts; the average begins with its weights.
    """

    def __init__(self, *, decay: float, start: int) -> None:
        super().__init__()
        self.decay = decay
        self.start = start
        self._weights: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
        """The averages, and the weights that they are of."""
        self._buffers: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Know the weights; of averages a rank keeps what it keeps of them."""
        assert self._average_model is not None
        averaged = self._average_model.module
        share_out_like(averaged, pl_module)
        self._weights = (_own_parts(averaged), _own_parts(pl_module))
        self._buffers = (list(averaged.buffers()), list(pl_module.buffers()))

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Update the average if this was an optimizer's step."""
        step = trainer.global_step
        if step <= max(self._latest_update_step, self.start):
            return
        self._update(first=self._latest_update_step == 0)
        self._latest_update_step = step

    @torch.no_grad()
    def _update(self, *, first: bool) -> None:
        assert self._average_model is not None
        averages, weights = self._weights
        if first:
            torch._foreach_copy_(averages, weights)
        else:
            torch._foreach_lerp_(averages, weights, 1 - self.decay)
        for average, buffer in zip(*self._buffers, strict=True):
            if first or not buffer.is_floating_point():
                average.copy_(buffer)
            else:
                average.lerp_(buffer, 1 - self.decay)
        self._average_model.n_averaged += 1

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the average in the model, and step in for no other weights from here on."""
        super().on_train_end(trainer, pl_module)
        self._average_model = None

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The same for a run that resumes at its end, which trains no more."""
        if self._average_model is not None:
            self.on_train_end(trainer, pl_module)

    @torch.no_grad()
    def _swap_models(self, pl_module: L.LightningModule) -> None:
        """Exchange averages and weights, of which a copy may be what is evaluated."""
        weights, buffers = zip(*self._weights, strict=True), zip(*self._buffers, strict=True)
        for average, current in (*weights, *buffers):
            kept = average.clone()
            average.copy_(current)
            current.copy_(kept)


def _own_parts(module: torch.nn.Module) -> list[torch.Tensor]:
    return [own_part(parameter) for parameter in module.parameters()]
