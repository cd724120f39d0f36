"""How long a run has trained."""

import time
from typing import Any

import lightning as L


class TrainingTime(L.Callback):
    """Seconds of training and validation, those before a resumed checkpoint included."""

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

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint: the seconds up to it."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """From a checkpoint: what the run had trained before."""
        self._before = state_dict["seconds"]
