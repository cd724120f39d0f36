"""An exponential moving average of the weights: Polyak & Juditsky (1992), with a horizon."""

import lightning as L
from lightning.pytorch.callbacks import WeightAveraging
from torch.optim.swa_utils import get_ema_multi_avg_fn


class MovingAverage(WeightAveraging):
    """``a <- d a + (1 - d) w`` after each step; the average is validated, saved and kept.

    :param decay: d; the average reaches back over some ``1 / (1 - d)`` steps.
    :param start: the first step that counts; the average begins with its weights.
    """

    def __init__(self, *, decay: float, start: int) -> None:
        super().__init__(multi_avg_fn=get_ema_multi_avg_fn(decay))
        self.start = start

    def should_update(self, step_idx: int | None = None, epoch_idx: int | None = None) -> bool:
        """Whether a step counts; epochs don't."""
        return step_idx is not None and step_idx >= self.start

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the average in the model, and step in for no other weights from here on."""
        super().on_train_end(trainer, pl_module)
        self._average_model = None
