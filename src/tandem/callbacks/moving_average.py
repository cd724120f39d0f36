"""An exponential moving average of the weights: Polyak & Juditsky (1992), with a horizon."""

from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import WeightAveraging

from tandem.core.shards import own_part, share_out_like

Pairs = tuple[list[torch.Tensor], list[torch.Tensor]]


class MovingAverage(WeightAveraging):
    """``a <- d a + (1 - d) w`` after each step; the average is validated, saved and kept.

    All weights are averaged by one operation over their list, and which step is the first one is
    known on the host: Lightning's own walks through the modules and asks the device each time.
    Buffers of real numbers, such as statistics of a batch normalisation, are averaged with them;
    counters are copied.

    :param decay: d; the average reaches back over some ``1 / (1 - d)`` steps.
    :param start: the first step that counts; the average begins with its weights.
    """

    def __init__(self, *, decay: float, start: int) -> None:
        super().__init__()
        self.decay = decay
        self.start = start
        self._averaged: Pairs = ([], [])
        """The averages, and the weights and buffers that they are of."""
        self._copied: Pairs = ([], [])
        """Copies of counters, and the counters."""

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Know the weights; of averages a rank keeps what it keeps of them."""
        assert self._average_model is not None
        averaged = self._average_model.module
        share_out_like(averaged, pl_module)
        self._averaged, self._copied = ([], []), ([], [])
        for average, current in zip(_own_tensors(averaged), _own_tensors(pl_module), strict=True):
            averages, others = self._averaged if current.is_floating_point() else self._copied
            averages.append(average)
            others.append(current)

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
        if first:
            torch._foreach_copy_(*self._averaged)
        else:
            torch._foreach_lerp_(*self._averaged, 1 - self.decay)
        if self._copied[0]:
            torch._foreach_copy_(*self._copied)

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
        averaged, copied = zip(*self._averaged, strict=True), zip(*self._copied, strict=True)
        for average, current in (*averaged, *copied):
            kept = average.clone()
            average.copy_(current)
            current.copy_(kept)


def _own_tensors(module: torch.nn.Module) -> list[torch.Tensor]:
    return [*map(own_part, module.parameters()), *module.buffers()]
