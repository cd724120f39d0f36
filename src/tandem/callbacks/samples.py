"""A table of example outputs: to a file and to W&B."""

import json
from pathlib import Path
from typing import Any

import lightning as L

from tandem.callbacks.evaluated_rows import LOG_PREFIX, FirstRows, wandb_loggers
from tandem.core.types import Evaluated

COLUMNS = ["index", "source", "hypothesis", "reference"]


class SampleTable(L.Callback):
    """Appends the same rows of the split to ``samples.jsonl`` after each validation and test.

    :param count: how many rows; the first ones of the split.
    :param folder: the run's folder.
    """

    def __init__(self, *, count: int, folder: str) -> None:
        self.path = Path(folder) / "samples.jsonl"
        self._rows = FirstRows(count=count)

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
        """Write the validation split's rows."""
        if not trainer.sanity_checking:
            self._write(trainer, "validation")

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the test split's rows."""
        self._write(trainer, "test")

    def _write(self, trainer: L.Trainer, split: str) -> None:
        rows = self._rows.gather()
        if not rows.indices or not trainer.is_global_zero:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            for line in _records(rows, split, trainer.current_epoch, trainer.global_step):
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        data = [
            [index, source, hypothesis, "\n".join(texts)]
            for index, source, hypothesis, texts in _zip(rows)
        ]
        for logger in wandb_loggers(trainer):
            key = f"samples/{LOG_PREFIX[split]}"
            logger.log_table(key, columns=COLUMNS, data=data, step=trainer.global_step)


def _zip(rows: Evaluated) -> list[tuple[int, str, str, list[str]]]:
    return list(zip(rows.indices, rows.sources, rows.hypotheses, rows.references, strict=True))


def _records(rows: Evaluated, split: str, epoch: int, step: int) -> list[dict[str, Any]]:
    """One JSON object a row."""
    return [
        {
            "split": split,
            "epoch": epoch,
            "step": step,
            "index": index,
            "source": source,
            "hypothesis": hypothesis,
            "references": texts,
        }
        for index, source, hypothesis, texts in _zip(rows)
    ]
