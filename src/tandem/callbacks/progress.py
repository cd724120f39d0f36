"""How a run shows that it goes on: a line that changes on a terminal, lines in a log elsewhere."""

import logging
import math
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar as LightningProgressBar
from rich import get_console

from tandem.callbacks.best_checkpoint import BestCheckpoint
from tandem.callbacks.live_line import LiveLine, NotebookLine, terminal_line
from tandem.callbacks.onlooker import Onlooker
from tandem.callbacks.status_line import StatusLine

log = logging.getLogger(__name__)

LOSS = "val/loss"
SHORT_NAMES = {"train/loss": "loss", "train/tokens_per_second": "tokens/s"}
BEST = " (best)"
"""Behind a validation that is better than those before."""


def make_progress(*, updates_per_second: int, seconds_between_lines: float) -> LightningProgressBar:
    """Return a live line if the output is a terminal, and otherwise what logs one now and then.

    :param updates_per_second: how often the live line is drawn.
    :param seconds_between_lines: how long the log waits within an epoch.
    """
    console = get_console()
    if console.is_jupyter:
        return ProgressBar(updates_per_second=updates_per_second, show=NotebookLine)
    if sys.stdout.isatty() and not console.is_dumb_terminal:
        return ProgressBar(updates_per_second=updates_per_second)
    return LogLines(seconds_between_lines=seconds_between_lines)


class Remaining:
    """Estimates how long training still takes, from the optimizer steps done since it started."""

    def __init__(self, trainer: L.Trainer) -> None:
        self._total = trainer.estimated_stepping_batches
        self._first = trainer.global_step
        self._start = time.monotonic()

    def __call__(self, step: int) -> str:
        """Return hours, minutes and seconds, or nothing where the end is not known."""
        done = step - self._first
        if done <= 0 or not 0 < self._total < math.inf:
            return ""
        seconds = (time.monotonic() - self._start) / done * max(self._total - step, 0)
        return f"{timedelta(seconds=round(seconds))} left"


class ProgressBar(LightningProgressBar, Onlooker):
    """One live line, and above it one line a validation that stays.

    :param updates_per_second: how often the live line is drawn.
    :param show: makes what draws it; None: on a terminal.
    """

    def __init__(
        self, *, updates_per_second: int, show: Callable[[StatusLine], LiveLine] | None = None
    ) -> None:
        super().__init__()
        self.updates_per_second = updates_per_second
        self.line = StatusLine()
        self._show = show or terminal_line
        self._live: LiveLine | None = None
        self._enabled = True
        self._remaining: Remaining | None = None
        self._drawn = 0.0

    def disable(self) -> None:
        """Stay silent, as on all ranks but the first."""
        self._enabled = False

    def enable(self) -> None:
        """Show again."""
        self._enabled = True

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self._remaining = Remaining(trainer)
        self._open()

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin at the first batch."""
        self._begin(epoch_of(trainer).capitalize(), self.total_train_batches)
        self._draw(trainer)

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Draw now and then, for reading a loss waits for the device."""
        self.line.done = batch_idx + 1
        if batch_idx + 1 == self.total_train_batches or self._is_time():
            self._draw(trainer)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Show the validation in the place of the training."""
        self._open()
        batches = (
            trainer.num_sanity_val_batches if trainer.sanity_checking else trainer.num_val_batches
        )
        self._begin("Validation", sum(batches))
        self._draw(trainer)

    def on_validation_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, *rest: Any
    ) -> None:
        """Count the batch."""
        self._count(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the scores above the line, and go on with the training."""
        if trainer.state.fn != "fit":
            self._close()
        elif not trainer.sanity_checking:
            if self._enabled:
                log_validation(trainer)
            self._begin(epoch_of(trainer).capitalize(), self.total_train_batches)
            self.line.done = trainer.fit_loop.batch_idx + 1
            self._draw(trainer)

    def on_test_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Show the test."""
        self._open()
        self._begin("Test", sum(trainer.num_test_batches))
        self._draw(trainer)

    def on_test_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, *rest: Any
    ) -> None:
        """Count the batch."""
        self._count(trainer)

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the line away."""
        self._close()

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the line away."""
        self._close()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Take the line away."""
        self._close()

    def left_out(self) -> None:
        """Take the line away, and give the cursor back."""
        self._close()

    def _open(self) -> None:
        if self._enabled and self._live is None:
            self._live = self._show(self.line)
            self._live.start()

    def _close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _begin(self, task: str, total: float) -> None:
        self.line.task, self.line.done, self.line.total = task, 0, total

    def _count(self, trainer: L.Trainer) -> None:
        self.line.done += 1
        if self._is_time():
            self._draw(trainer)

    def _is_time(self) -> bool:
        return time.monotonic() - self._drawn >= 1 / self.updates_per_second

    def _draw(self, trainer: L.Trainer) -> None:
        if self._live is None:
            return
        self._drawn = time.monotonic()
        self.line.values = self._values(trainer) if trainer.state.fn == "fit" else ()
        self._live.refresh()

    def _values(self, trainer: L.Trainer) -> list[str]:
        left = self._remaining(trainer.global_step) if self._remaining else ""
        scores = trainer.progress_bar_metrics
        values = [named_value(name, scores[name]) for name in scores if name not in SHORT_NAMES]
        values = [*training_values(trainer), *values]
        return [*([left] if left else []), *values, f"step {trainer.global_step:,}"]


class LogLines(LightningProgressBar, Onlooker):
    """Logs a line at the end of each epoch and validation, and in between every so often.

    :param seconds_between_lines: how long to wait within an epoch.
    """

    def __init__(self, *, seconds_between_lines: float) -> None:
        super().__init__()
        self.seconds_between_lines = seconds_between_lines
        self._enabled = True
        self._remaining: Remaining | None = None
        self._written = 0.0

    def disable(self) -> None:
        """Stay silent, as on all ranks but the first."""
        self._enabled = False

    def enable(self) -> None:
        """Write again."""
        self._enabled = True

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clocks."""
        self._remaining = Remaining(trainer)
        self._written = time.monotonic()

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Log if it is time."""
        if time.monotonic() - self._written >= self.seconds_between_lines:
            self._write(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log the results of the validation."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking and self._enabled:
            self._written = time.monotonic()
            log_validation(trainer)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log the end of the epoch; of epochs too short to be validated only if it is time."""
        validated = (trainer.current_epoch + 1) % (trainer.check_val_every_n_epoch or 1) == 0
        if validated or time.monotonic() - self._written >= self.seconds_between_lines:
            self._write(trainer)

    def _write(self, trainer: L.Trainer) -> None:
        self._written = time.monotonic()
        if not self._enabled:
            return
        parts = training_values(trainer)
        left = self._remaining(trainer.global_step) if self._remaining else ""
        parts += [left] if left else []
        log.info("%s, step %d: %s", epoch_of(trainer), trainer.global_step, ", ".join(parts))


def epoch_of(trainer: L.Trainer) -> str:
    """The epoch that a run is in, counted from 1, and how many there are if there is an end."""
    epochs = trainer.max_epochs or -1
    return f"epoch {trainer.current_epoch + 1}{f'/{epochs}' if epochs > 0 else ''}"


def training_values(trainer: L.Trainer) -> list[str]:
    """Loss and speed, as far as they are known.

    They are no values of Lightning's progress bar: of those each step reads all from the device.
    """
    logged = trainer.callback_metrics
    return [named_value(name, logged[name]) for name in SHORT_NAMES if name in logged]


def log_validation(trainer: L.Trainer) -> None:
    """Log what a validation in training found, and whether it is the best up to then."""
    logged, shown = trainer.callback_metrics, trainer.progress_bar_metrics
    names = [name for name in logged if name.startswith("val/")]
    scores = [name for name in names if name in shown and name != LOSS]
    values = [named_value(name, logged[name]) for name in names if name == LOSS]
    values += [named_value(name, logged[name]) for name in scores]
    mark = BEST if is_best(trainer) else ""
    where = epoch_of(trainer), trainer.global_step
    log.info("%s, step %d: %s%s", *where, ", ".join(values), mark)


def is_best(trainer: L.Trainer) -> bool:
    """Whether the latest validation is better than those before; asked before it is saved."""
    return any(
        callback.is_better(trainer.callback_metrics)
        for callback in trainer.checkpoint_callbacks
        if isinstance(callback, BestCheckpoint)
    )


def named_value(name: str, value: Any) -> str:
    """A value behind its name."""
    return f"{SHORT_NAMES.get(name, name)} {format_value(name, value)}"


def format_value(name: str, value: Any) -> str:
    """Write a speed without decimals, a loss or other small number with three, a score with two."""
    number = float(value)
    if name.endswith("_per_second"):
        return f"{number:,.0f}"
    return f"{number:.3f}" if "loss" in name or "perplexity" in name else f"{number:.2f}"
