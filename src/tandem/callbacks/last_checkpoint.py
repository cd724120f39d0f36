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

from tandem.callbacks.checkpoint_io import LAST, PREVIOUS
from tandem.callbacks.loop_state import begin_next_epoch
from tandem.core.files import keep_a_copy
from tandem.core.ranks import max_over_ranks
from tandem.core.shards import all_finite
from tandem.core.stopping import Stopped, stop, stopping_signals

log = logging.getLogger(__name__)


class LastCheckpoint(Checkpoint):
    """Writes ``last.ckpt`` after each validation, after each epoch and every so many steps.

    Accumulated gradients are no part of it, so within an accumulated batch it waits for the
    optimizer's step. A signal that ends the run waits for the next moment at which all ranks can
    save.

    As a ``Checkpoint`` it runs behind all other callbacks, so their states are up to date. Put
    it behind the callback of the best checkpoint, whose state it saves too.

    :param folder: where checkpoints go.
    :param every_n_train_steps: how often to save within an epoch; 0 for never.
    :param keep_previous: whether the one before stays as ``previous.ckpt``, to which a run goes
        back if the last one is damaged.
    """

    def __init__(self, *, folder: str, every_n_train_steps: int, keep_previous: bool) -> None:
        self.path = Path(folder) / LAST
        self.every_n_train_steps = every_n_train_steps
        self.keep_previous = keep_previous
        self._saved_step = -1
        self._begun_step = -1
        self._is_owed = False
        """Whether a validation within an accumulated batch is not saved yet."""
        self._signals: list[signal.Signals] = []
        self._received = 0
        self._stopping = 0

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Note which signals end a run, before Lightning puts its own handler around them."""
        self._signals = stopping_signals()

    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Go on with the next epoch behind the end of one."""
        if not 0 <= trainer.max_steps <= checkpoint["global_step"]:
            begin_next_epoch(trainer, checkpoint["loops"]["fit_loop"])

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the state that the run starts from as saved, and hold signals back.

        Lightning takes the handlers back when training ends.
        """
        self._saved_step = trainer.global_step

        def hold_back(number: int, frame: FrameType | None) -> None:
            if not self._received and trainer.is_global_zero:
                log.info("Stopping after the next checkpoint")
            self._received = number
            if trainer.world_size == 1:  # of several processes one alone must not leave
                signal.signal(number, stop)

        for number in self._signals:
            signal.signal(number, hold_back)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """No batch of the epoch has been the last one, whatever the checkpoint says of its own."""
        trainer.fit_loop.epoch_loop.batch_progress.is_last_batch = False

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Stop if a signal came and the state is saved."""
        if self._stopping and trainer.global_step == self._saved_step and not self._is_owed:
            raise Stopped(self._stopping)
        self._begun_step = trainer.global_step
        # By which rows are numbered: of some resumed runs Lightning counts a step twice.
        trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step

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
        wanted = due or self._stopping or self._is_owed
        waits = _validation_may_follow(trainer, batch_idx) or _training_ends(trainer)
        if wanted and self._has_stepped(trainer) and not waits:
            self._save(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save after a validation in mid-epoch; one at the end of an epoch waits for the end."""
        is_last = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        at_end = is_last or _training_ends(trainer)
        if trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking and not at_end:
            self._is_owed = True
            if self._has_stepped(trainer):
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

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Count the last epoch as done; Lightning does so by the limit of epochs alone."""
        epochs = trainer.fit_loop.epoch_progress.state_dict()["current"]
        trainer.fit_loop.epoch_progress.current.completed = epochs["processed"]

    def _has_stepped(self, trainer: L.Trainer) -> bool:
        """Whether the batch ended with a step of the optimizer, so that no gradient is pending."""
        return trainer.global_step > self._begun_step

    def _agree(self, trainer: L.Trainer) -> None:
        """A signal to one rank is one to all."""
        self._stopping = self._received
        if trainer.world_size > 1:  # alone, nobody must be waited for
            received = torch.tensor(self._received, device=trainer.strategy.root_device)
            self._stopping = int(max_over_ranks(received))

    def _save(self, trainer: L.Trainer) -> None:
        if trainer.global_step == self._saved_step and not self._is_owed:
            return
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        if not all_finite(trainer.lightning_module.parameters()):
            return  # the last good one stays; the next check of the module stops the run
        if self.keep_previous and trainer.is_global_zero and self.path.exists():
            keep_a_copy(self.path, self.path.with_name(PREVIOUS))
        trainer.save_checkpoint(self.path, weights_only=False)
        self._saved_step = trainer.global_step
        self._is_owed = False


def _training_ends(trainer: L.Trainer) -> bool:
    """Whether the epoch ends here because the training does."""
    is_stopped = trainer.should_stop and trainer.fit_loop._can_stop_early
    return is_stopped or 0 <= trainer.max_steps <= trainer.global_step


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
