"""Steps of the schedule that watches a score."""

import lightning as L
from lightning.pytorch.trainer.states import TrainerFn
from torch.optim.lr_scheduler import ReduceLROnPlateau


class PlateauSteps(L.Callback):
    """Shows each validation's score to ``scheduler=plateau``, before checkpoints are saved.

    Lightning itself does so at the end of every epoch, with a validation or not, and behind the
    checkpoint, so that a resumed run would miss a step.
    """

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Step the schedule if it is one that watches a score."""
        if trainer.state.fn != TrainerFn.FITTING or trainer.sanity_checking:
            return
        for config in trainer.lr_scheduler_configs:
            if isinstance(config.scheduler, ReduceLROnPlateau):
                config.scheduler.step(trainer.callback_metrics[str(config.monitor)])
