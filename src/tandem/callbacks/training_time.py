"""How long a run has trained."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning as L


class TrainingTime(L.Callback):
    """Seconds of training and validation, those before a resumed checkpoint included.

    What only shows or writes down what was found is left out, see :func:`off_the_clock`.
    """

    def __init__(self) -> None:
        self._before = 0.0
        self._start: float | None = None
        self._end: float | None = None

    @property
    def seconds(self) -> float:
        """Up to now, or to the end of training."""
        if self._start is None:
            return self._before
        end = time.monotonic() if self._end is None else self._end
        return self._before + end - self._start

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self._start = time.monotonic()

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop it."""
        self._end = time.monotonic()

    def leave_out(self, seconds: float) -> None:
        """Take seconds off, which went by since the clock was started."""
        if self._start is not None and self._end is None:
            self._start += seconds

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint: the seconds up to it."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """From a checkpoint: what the run had trained before."""
        self._before = state_dict["seconds"]


@contextmanager
def off_the_clock(trainer: L.Trainer) -> Iterator[None]:
    """Let the run's clock stand still: what is done inside is no training."""
    start = time.monotonic()
    try:
        yield
    finally:
        seconds = time.monotonic() - start
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, TrainingTime):
                callback.leave_out(seconds)


def training_seconds(trainer: L.Trainer) -> float:
    """What the run's clock shows; 0 if there is none."""
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    return next((one.seconds for one in callbacks if isinstance(one, TrainingTime)), 0.0)
