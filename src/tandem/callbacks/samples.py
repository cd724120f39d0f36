"""Example outputs: to a file and to the loggers that show texts."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L

from tandem.callbacks.evaluated_rows import LOG_PREFIX, Split, showing_loggers
from tandem.callbacks.media_copies import keep_copies
from tandem.callbacks.onlooker import RowsOnlooker
from tandem.core.lines import json_line, utf8
from tandem.core.types import Evaluated
from tandem.data.module import DataModule
from tandem.data.segments import content_of
from tandem.loggers import MEDIA


class SampleTable(RowsOnlooker):
    """Appends the same rows of the split to ``samples.jsonl`` after each validation and test.

    Of pictures and recordings of test rows, small copies go into ``media/``.
    A checkpoint knows how long the file was, so a resumed run drops what was written behind it.

    :param count: how many rows; the first ones of the split.
    :param folder: the run's folder.
    """

    def __init__(self, *, count: int, folder: str) -> None:
        super().__init__(count=count)
        self.path = Path(folder) / "samples.jsonl"
        self._resumed_size = 0

    def state_dict(self) -> dict[str, Any]:
        """How many bytes the file has."""
        return {"size": self.path.stat().st_size if self.path.exists() else 0}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Remember how many bytes belong to the checkpoint."""
        self._resumed_size = state_dict["size"]

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Drop what was written after the checkpoint that the run resumes from, if there is one."""
        size, self._resumed_size = self._resumed_size, 0
        if trainer.is_global_zero and self.path.exists():
            os.truncate(self.path, min(size, self.path.stat().st_size))

    def use(
        self, trainer: L.Trainer, pl_module: L.LightningModule, split: Split, rows: Evaluated
    ) -> None:
        """Write the split's rows."""
        if not trainer.is_global_zero:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            for record in _records(rows, split, trainer.current_epoch, trainer.global_step):
                file.write(utf8(f"{json_line(record)}\n"))
        data = getattr(trainer, "datamodule", None)
        if split == "test" and isinstance(data, DataModule):
            keep_copies(self.path.parent, data, split, rows.indices)
        for logger in showing_loggers(trainer):
            key = f"samples/{LOG_PREFIX[split]}"
            logger.log_samples(
                key, rows, partial(_media, trainer, split, rows), trainer.global_step
            )


def _media(trainer: L.Trainer, split: Split, rows: Evaluated) -> tuple[str, list[bytes]] | None:
    """The rows' pictures or recordings; None if their sources are something else."""
    data = getattr(trainer, "datamodule", None)
    if not isinstance(data, DataModule) or data.media not in MEDIA:
        return None
    files = [data.file(split, index) for index in rows.indices]
    read = [content_of(file) for file in files]
    return data.media, read


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
