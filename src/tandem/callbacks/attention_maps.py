"""Pictures of where the decoder looked, at the end of validation and test."""

import logging
from pathlib import Path
from typing import Protocol, cast

import lightning as L

from tandem.callbacks.evaluated_rows import LOG_PREFIX, EvaluatedRows, Split, wandb_loggers
from tandem.core.types import Evaluated
from tandem.reports import Drawing, save

log = logging.getLogger(__name__)


class Attends(Protocol):
    """What the module must offer for pictures."""

    def attend(self, indices: list[int], split: str, hypotheses: list[str]) -> list[Drawing]:
        """Return what draws the attention of rows of a split over the given outputs."""


class AttentionMaps(EvaluatedRows):
    """Draws the first rows' maps into ``attention/`` and to W&B; rank zero does it alone.

    :param count: how many rows.
    :param folder: the run's folder.
    """

    def __init__(self, *, count: int, folder: str) -> None:
        super().__init__(count=count)
        self.folder = Path(folder) / "attention"
        self._told = False

    def use(
        self, trainer: L.Trainer, pl_module: L.LightningModule, split: Split, rows: Evaluated
    ) -> None:
        """Draw rows of the split."""
        if not trainer.is_global_zero:
            return
        stem = f"val-epoch{trainer.current_epoch:03d}" if split == "validation" else "test"
        maps = cast(Attends, pl_module).attend(rows.indices, split, rows.hypotheses)
        for place, (index, one) in enumerate(zip(rows.indices, maps, strict=True)):
            if one is None:
                self._tell_once()
                continue
            path = self.folder / f"{stem}-{place}.png"
            save(one(f"{split}, row {index}"), path)
            # Pictures under one key must have one size, so each gets a key.
            key = f"attention/{LOG_PREFIX[split]}-{place}"
            for logger in wandb_loggers(trainer):
                logger.log_image(key, images=[str(path)], step=trainer.global_step)

    def _tell_once(self) -> None:
        if not self._told:
            log.info("This attention has no weights, so no attention maps are drawn.")
            self._told = True
