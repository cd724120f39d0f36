"""Pictures of where the decoder looked, at the end of validation and test."""

import logging
from pathlib import Path
from typing import Any, Protocol, cast

import lightning as L

from tandem.callbacks.evaluated_rows import LOG_PREFIX, FirstRows, wandb_loggers
from tandem.core.types import Evaluated
from tandem.reports.attention_map import AttentionMap, draw, save

log = logging.getLogger(__name__)


class Attends(Protocol):
    """What the module must offer for pictures."""

    def attend(self, indices: list[int], split: str, hypotheses: list[str]) -> list[AttentionMap]:
        """Return the attention of rows of a split over the given outputs, in the same order."""


class AttentionMaps(L.Callback):
    """Draws the first rows' maps into ``attention/`` and to W&B; rank zero does it alone.

    :param count: how many rows.
    :param folder: the run's folder.
    """

    def __init__(self, *, count: int, folder: str) -> None:
        self.folder = Path(folder) / "attention"
        self._rows = FirstRows(count=count)
        self._told = False

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin with no rows."""
        self._rows.clear()

    def on_test_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin with no rows."""
        self._rows.clear()

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the batch's texts if they are among the first."""
        if isinstance(outputs, Evaluated) and not trainer.sanity_checking:
            self._rows.add(outputs)

    def on_test_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the batch's texts if they are among the first."""
        if isinstance(outputs, Evaluated):
            self._rows.add(outputs)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Draw rows of the validation split."""
        if not trainer.sanity_checking:
            self._draw(trainer, pl_module, "validation", f"val-epoch{trainer.current_epoch:03d}")

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Draw rows of the test split."""
        self._draw(trainer, pl_module, "test", "test")

    def _draw(
        self, trainer: L.Trainer, pl_module: L.LightningModule, split: str, stem: str
    ) -> None:
        rows = self._rows.gather()
        if not rows.indices or not trainer.is_global_zero:
            return
        maps = cast(Attends, pl_module).attend(rows.indices, split, rows.hypotheses)
        for place, (index, one) in enumerate(zip(rows.indices, maps, strict=True)):
            if one.weights is None:
                self._tell_once()
                continue
            path = self.folder / f"{stem}-{place}.png"
            save(draw(one, title=f"{split}, row {index}"), path)
            # Pictures under one key must have one size, so each gets a key.
            key = f"attention/{LOG_PREFIX[split]}-{place}"
            for logger in wandb_loggers(trainer):
                logger.log_image(key, images=[str(path)], step=trainer.global_step)

    def _tell_once(self) -> None:
        if not self._told:
            log.info("This attention has no weights, so no attention maps are drawn.")
            self._told = True
