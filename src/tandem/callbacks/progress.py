"""How a run shows that it goes on: a bar on a terminal, lines in a log elsewhere."""

import logging
import math
import sys
import time
from datetime import timedelta
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar as LightningProgressBar
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.callbacks.progress.rich_progress import RichProgressBarTheme
from rich import get_console

from tandem.callbacks.onlooker import Onlooker

log = logging.getLogger(__name__)

SHORT_NAMES = {"train/loss": "loss", "train/tokens_per_second": "tokens/s"}


def make_progress(*, updates_per_second: int, seconds_between_lines: float) -> LightningProgressBar:
    """Return a bar if the output is a terminal, and otherwise what logs a line now and then.

    :param updates_per_second: how often the bar is drawn.
    :param seconds_between_lines: how long the log waits within an epoch.
    """
    console = get_console()
    if console.is_jupyter or (sys.stdout.isatty() and not console.is_dumb_terminal):
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
        return str(timedelta(seconds=round(seconds)))


class ProgressBar(RichProgressBar, Onlooker):
    """Lightning's rich bar with speed in tokens, the time left of the whole run and fewer updates.

    :param updates_per_second: how often the bar is drawn.
    """

    def __init__(self, *, updates_per_second: int) -> None:
        theme = RichProgressBarTheme(metrics_text_delimiter="  ")
        super().__init__(refresh_rate=updates_per_second, leave=False, theme=theme)
        self._remaining: Remaining | None = None
        self._drawn = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self._remaining = Remaining(trainer)
        super().on_train_start(trainer, pl_module)

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Update as often as the bar is drawn, for reading a loss waits for the device."""
        now = time.monotonic()
        last = batch_idx + 1 == self.total_train_batches
        if last or now - self._drawn >= 1 / self.refresh_rate:
            self._drawn = now
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def get_metrics(
        self, trainer: L.Trainer, pl_module: L.LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """Return what stands beside the bar, as text."""
        texts: dict[str, int | str | float | dict[str, float]] = {"step": str(trainer.global_step)}
        for name, value in trainer.progress_bar_metrics.items():
            texts[SHORT_NAMES.get(name, name)] = format_value(name, value)
        left = self._remaining(trainer.global_step) if self._remaining else ""
        return {**texts, "left": left} if left else texts


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
            self._write(trainer, "train/")

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log the results of the validation."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._write(trainer, "val/")

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log the end of the epoch."""
        self._write(trainer, "train/")

    def _write(self, trainer: L.Trainer, prefix: str) -> None:
        self._written = time.monotonic()
        if not self._enabled:
            return
        parts = [
            f"{SHORT_NAMES.get(name, name)} {format_value(name, value)}"
            for name, value in trainer.progress_bar_metrics.items()
            if name.startswith(prefix)
        ]
        left = self._remaining(trainer.global_step) if self._remaining else ""
        parts += [f"{left} left"] if left and prefix == "train/" else []
        log.info(
            "epoch %d, step %d: %s", trainer.current_epoch, trainer.global_step, ", ".join(parts)
        )


def format_value(name: str, value: Any) -> str:
    """Write a speed without decimals, a loss or other small number with three, a score with two."""
    number = float(value)
    if name.endswith("_per_second"):
        return f"{number:,.0f}"
    return f"{number:.3f}" if "loss" in name or "perplexity" in name else f"{number:.2f}"
