"""The checkpoint of the best validation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor

from tandem.callbacks.checkpoint_io import read_checkpoint
from tandem.callbacks.final_weights import Candidate
from tandem.callbacks.validations import counts_as_validation
from tandem.core.directions import Direction
from tandem.core.quality import Quality, quality_of


class BestCheckpoint(Checkpoint):
    """Keeps the weights of the best validation in ``best.ckpt``; a run ends with them.

    :param folder: where checkpoints go.
    :param monitor: the score that decides; of equal scores the smaller loss is better.
    :param mode: which way the score is better.
    """

    def __init__(self, *, folder: str, monitor: str, mode: Direction) -> None:
        self.path = Path(folder) / "best.ckpt"
        self.monitor, self.mode = monitor, mode
        self.best: Quality | None = None

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save the weights if they are the best so far."""
        if not counts_as_validation(trainer) or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        if self.is_better(trainer.callback_metrics):
            self.best = self._quality(trainer.callback_metrics)  # the checkpoint knows of itself
            trainer.save_checkpoint(self.path, weights_only=False)

    def is_better(self, values: Mapping[str, Tensor]) -> bool:
        """Whether what a validation logged is better than the best so far."""
        return self._quality(values).improves(self.best)

    def _quality(self, values: Mapping[str, Tensor]) -> Quality:
        return quality_of(values, monitor=self.monitor, mode=self.mode)

    def state_dict(self) -> dict[str, Any]:
        """How good the best one is."""
        return {"best": None if self.best is None else tuple(self.best)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the best one so far."""
        best = state_dict["best"]
        self.best = None if best is None else Quality(*best)

    def candidate(self) -> Candidate | None:
        """The best checkpoint, if there was a validation."""
        if self.best is None:
            return None
        return Candidate(
            "best checkpoint", lambda: read_checkpoint(self.path)["state_dict"], self.best
        )
