"""The checkpoint to resume from."""

from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.trainer.states import TrainerFn


class LastCheckpoint(Checkpoint):
    """Writes ``last.ckpt`` after each validation, after each epoch and every so many steps.

    As a ``Checkpoint`` it runs behind all other callbacks, so their states are up to date. Put
    it behind the callback of the best checkpoint, whose state it saves too.

    :param folder: where checkpoints go.
    :param every_n_train_steps: how often to save within an epoch; 0 for never.
    """

    def __init__(self, *, folder: str, every_n_train_steps: int) -> None:
        self.path = Path(folder) / "last.ckpt"
        self.every_n_train_steps = every_n_train_steps
        self._saved_step = -1

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the state that the run starts from as saved."""
        self._saved_step = trainer.global_step

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Save every ``every_n_train_steps`` optimizer steps."""
        step = trainer.global_step
        due = self.every_n_train_steps and step % self.every_n_train_steps == 0
        if due and not _validation_may_follow(trainer, batch_idx):
            self._save(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save after a validation in mid-epoch; one at the end of an epoch waits for the end."""
        at_end = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        if trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking and not at_end:
            self._save(trainer)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save after the epoch, even if this step is saved: the epoch counts as done now."""
        self._saved_step = -1
        self._save(trainer)

    def _save(self, trainer: L.Trainer) -> None:
        if trainer.global_step == self._saved_step:
            return
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        if not all(bool(torch.isfinite(p).all()) for p in trainer.lightning_module.parameters()):
            return  # the last good one stays; the next loss stops the run
        trainer.save_checkpoint(self.path, weights_only=False)
        self._saved_step = trainer.global_step


def _validation_may_follow(trainer: L.Trainer, batch_idx: int) -> bool:
    """Whether a checkpoint behind this batch would make a resumed run skip a validation.

    One is saved behind the validation, or at the end of the epoch.
    """
    loop = trainer.fit_loop.epoch_loop
    if loop.batch_progress.is_last_batch:
        return True
    done = batch_idx if trainer.check_val_every_n_epoch is not None else loop.total_batch_idx
    interval = trainer.val_check_batch
    return interval is None or (done + 1) % interval == 0  # None: validation goes by the clock
