"""Steps of the schedule that watches a score."""

import lightning as L

from tandem.callbacks.validations import counts_as_validation
from tandem.training.schedulers import Plateau


class PlateauSteps(L.Callback):
    """Shows each validation to ``scheduler=plateau``, before checkpoints are saved.

    Lightning itself does so at the end of every epoch, with a validation or not, and behind the
    checkpoint, so that a resumed run would miss a step.
    """

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Step the schedule if it is one that watches a score."""
        if not counts_as_validation(trainer):
            return
        for config in trainer.lr_scheduler_configs:
            if isinstance(config.scheduler, Plateau):
                config.scheduler.judge(trainer.callback_metrics)
