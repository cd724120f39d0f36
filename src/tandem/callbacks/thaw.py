"""Parts that are frozen at first and trained from a step on."""

import gc
import logging

import lightning as L
from lightning.pytorch.strategies import DDPStrategy

from tandem.training.module import Seq2SeqModule
from tandem.training.optimizer_groups import GroupedOptimizer

logger = logging.getLogger(__name__)


class Thaw(L.Callback):
    """Lets parameters train once they were frozen for the steps that ``optimizer.groups`` says.

    :param groups: which parameters, and from which step on.
    """

    def __init__(self, groups: GroupedOptimizer) -> None:
        self.groups = groups

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Look whether it is time."""
        assert isinstance(pl_module, Seq2SeqModule)
        names = self.groups.thaw(pl_module.model, trainer.global_step)
        if not names:
            return
        logger.info(
            "Step %d: unfroze %d more tensors, of %s",
            trainer.global_step,
            len(names),
            ", ".join(dict.fromkeys(name.partition(".")[0] for name in names)),
        )
        if isinstance(trainer.strategy, DDPStrategy):
            _average_more_gradients(trainer.strategy)


def _average_more_gradients(strategy: DDPStrategy) -> None:
    """Wrap the model again, as DDP averages the gradients of what trained when it was made."""
    strategy.model = strategy.lightning_module
    gc.collect()  # the old wrapper's hooks end with it
    strategy.configure_ddp()
