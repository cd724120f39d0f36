"""How fast training goes, and how far it has come."""

import time
from typing import Any

import lightning as L

from tandem.callbacks.onlooker import Onlooker
from tandem.callbacks.training_time import training_seconds
from tandem.core.types import Batch


class Throughput(Onlooker):
    """Logs ``train/tokens_per_second``: real target tokens a second, over all ranks.

    The mean since the last log, every ``log_every_n_steps`` of the trainer. Validation and what
    happens between epochs is left out; waiting for data within an epoch counts. A batch knows its
    tokens and those of all ranks, so neither a GPU nor a rank is waited for.

    With it, and with each validation, it logs ``train/tokens`` and ``train/seconds``: all that the
    run has trained on and for, also before it was resumed.
    """

    def __init__(self) -> None:
        self.total_tokens = 0
        self._tokens = 0
        self._seconds = 0.0
        self._running_since: float | None = None
        self._logged_at = 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin to count."""
        self._reset()
        self._running_since = None
        self._logged_at = trainer.global_step

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        """Start the clock if it stands."""
        if self._running_since is None:
            self._running_since = time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        """Count the batch and log when it is time."""
        self._tokens += batch.total_symbols
        self.total_tokens += batch.total_symbols
        step = trainer.global_step
        interval: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
        if step == self._logged_at or not interval or step % interval:
            return
        self._stop()
        pl_module.log(
            "train/tokens_per_second",
            self._tokens / max(self._seconds, 1e-9),
            on_step=True,
            on_epoch=False,
        )
        pl_module.log_dict(self._amounts(trainer), on_step=True, on_epoch=False, batch_size=1)
        self._logged_at = step
        self._reset()
        self._running_since = time.perf_counter()

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop the clock until the next training batch."""
        self._stop()

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Say at what amount of training the scores were found."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            pl_module.log_dict(self._amounts(trainer), batch_size=1)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop the clock until the next training batch."""
        self._stop()

    def state_dict(self) -> dict[str, Any]:
        """The tokens up to a checkpoint."""
        return {"total_tokens": self.total_tokens}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting."""
        self.total_tokens = state_dict["total_tokens"]

    def _amounts(self, trainer: L.Trainer) -> dict[str, float]:
        return {
            "train/tokens": float(self.total_tokens),
            "train/seconds": training_seconds(trainer),
        }

    def _stop(self) -> None:
        if self._running_since is not None:
            self._seconds += time.perf_counter() - self._running_since
            self._running_since = None

    def _reset(self) -> None:
        self._tokens, self._seconds = 0, 0.0
