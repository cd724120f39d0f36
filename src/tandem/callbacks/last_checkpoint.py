"""The checkpoint to resume from."""

import logging
import signal
from pathlib import Path
from types import FrameType
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.trainer.states import TrainerFn

from tandem.core.ranks import max_over_ranks
from tandem.core.stopping import Stopped, stop, stopping_signals

log = logging.getLogger(__name__)


class LastCheckpoint(Checkpoint):
    """Writes ``last.ckpt`` after each validation, after each epoch and every so many steps.

    A signal that ends the run waits for the next moment at which all ranks can save.

    As a ``Checkpoint`` it runs behind all other callbacks, so their states are up to date. Put
    it behind the callback of the best checkpoint, whose state it saves too.

    :param folder: where checkpoints go.
    :param every_n_train_steps: how often to save within an epoch; 0 for never.
    """

    def __init__(self, *, folder: str, every_n_train_steps: int) -> None:
        self.path = Path(folder) / "last.ckpt"
        self.every_n_train_steps = every_n_train_steps
        self._saved_step = -1
        self._begun_step = -1
        self._signals: list[signal.Signals] = []
        self._received = 0
        self._stopping = 0

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Note which signals end a run, before Lightning puts its own handler around them."""
        self._signals = stopping_signals()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the state that the run starts from as saved, and hold signals back.

        Lightning takes the handlers back when training ends.
        """
        self._saved_step = trainer.global_step

        def hold_back(number: int, frame: FrameType | None) -> None:
            if not self._received and trainer.is_global_zero:
                log.info("Stopping behind the next checkpoint")
            self._received = number
            if trainer.world_size == 1:  # of several processes one alone must not leave
                signal.signal(number, stop)

        for number in self._signals:
            signal.signal(number, hold_back)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Stop if a signal came and the state is saved."""
        if self._stopping and trainer.global_step == self._saved_step:
            raise Stopped(self._stopping)
        self._begun_step = trainer.global_step

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Save every ``every_n_train_steps`` optimizer steps, and before a stop."""
        self._agree(trainer)
        step = trainer.global_step
        due = self.every_n_train_steps and step % self.every_n_train_steps == 0
        stepped = step > self._begun_step  # not between the parts of an accumulated batch
        if (due or self._stopping) and stepped and not _validation_may_follow(trainer, batch_idx):
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

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop before the best checkpoint is scored if a signal came in the last validation."""
        self._agree(trainer)
        if self._stopping:
            raise Stopped(self._stopping)

    def _agree(self, trainer: L.Trainer) -> None:
        """A signal to one rank is one to all."""
        self._stopping = self._received
        if trainer.world_size > 1:  # alone, nobody must be waited for
            received = torch.tensor(self._received, device=trainer.strategy.root_device)
            self._stopping = int(max_over_ranks(received))

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
