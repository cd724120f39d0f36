"""What a run has logged last, across its parts."""

from typing import Any

import lightning as L


class LoggedMetrics(L.Callback):
    """Keeps in checkpoints what was logged last, as a resumed run may have no step left to do.

    Lightning logs a training step behind the hook in which a checkpoint is saved, so that a
    checkpoint keeps the step's row, too, which a run that is killed in between never wrote.
    """

    def __init__(self) -> None:
        self.before: dict[str, float] = {}
        """What the checkpoint knew that the run resumed from."""

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Write it down."""
        checkpoint["logged_metrics"] = self.before | logged_metrics(trainer)
        checkpoint["pending_row"] = _pending_row(trainer)

    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Read it; older checkpoints do not have it."""
        self.before = checkpoint.get("logged_metrics", {})


def logged_metrics(trainer: L.Trainer) -> dict[str, float]:
    """The latest value of each name that was logged."""
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


def _pending_row(trainer: L.Trainer) -> tuple[int, dict[str, float]] | None:
    """The step and the values that Lightning logs next; None if it logs no row of this step."""
    loop, connector = trainer.fit_loop.epoch_loop, trainer._logger_connector
    batches = loop.batch_progress.state_dict()["current"]
    if batches["completed"] == batches["processed"] or not connector.should_update_logs:
        return None
    values = {name: float(value) for name, value in connector.metrics["log"].items()}
    return loop._batches_that_stepped, {**values, "epoch": trainer.current_epoch}
