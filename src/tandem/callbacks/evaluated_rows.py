"""Rows of an evaluation epoch, put together from all its batches and all ranks."""

from abc import ABC, abstractmethod
from typing import Any, Literal

import lightning as L
import torch.distributed

from tandem.core.types import Evaluated
from tandem.loggers import ShowsMedia

Split = Literal["validation", "test"]

LOG_PREFIX: dict[Split, str] = {"validation": "val", "test": "test"}
"""How names of logged values and of pictures begin, by the split they come from."""


def merge(parts: list[Evaluated]) -> Evaluated:
    """Sort rows by index and keep each once, whatever batch or rank it comes from."""
    rows: dict[int, tuple[str, str, list[str]]] = {}
    for part in parts:
        columns = zip(part.sources, part.hypotheses, part.references, strict=True)
        for index, row in zip(part.indices, columns, strict=True):
            rows.setdefault(index, row)
    indices = sorted(rows)
    return Evaluated(
        indices=indices,
        sources=[rows[index][0] for index in indices],
        hypotheses=[rows[index][1] for index in indices],
        references=[rows[index][2] for index in indices],
    )


def first_rows(rows: Evaluated, count: int | None) -> Evaluated:
    """Keep the first ``count`` rows, or all."""
    return Evaluated(
        indices=rows.indices[:count],
        sources=rows.sources[:count],
        hypotheses=rows.hypotheses[:count],
        references=rows.references[:count],
    )


def gather(rows: Evaluated) -> Evaluated:
    """Merge the rows of all ranks; every rank gets all of them."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return rows
    parts: list[Evaluated | None] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(parts, rows)
    return merge([part for part in parts if part is not None])


class Rows:
    """Collects the rows of an epoch: all, or those with the lowest indices, the same each time.

    :param count: how many rows to keep, or None for all.
    """

    def __init__(self, *, count: int | None) -> None:
        self.count = count
        self.parts: list[Evaluated] = []

    def clear(self) -> None:
        """Forget all rows."""
        self.parts = []

    def add(self, evaluated: Evaluated) -> None:
        """Take a batch's rows in."""
        self.parts.append(evaluated)
        if self.count is not None:
            self.parts = [first_rows(merge(self.parts), self.count)]

    def gather(self) -> Evaluated:
        """Return the rows over all ranks and forget them; call it on every rank."""
        rows = first_rows(gather(merge(self.parts)), self.count)
        self.clear()
        return rows


class EvaluatedRows(L.Callback, ABC):
    """Collects what search found in validation and test, and hands it over when the epoch ends.

    The sanity check does not count, and neither does an epoch in which the module returned no
    texts.

    :param count: how many rows, the first ones of the split; None for all.
    """

    def __init__(self, *, count: int | None) -> None:
        self._rows = Rows(count=count)

    @abstractmethod
    def use(
        self, trainer: L.Trainer, pl_module: L.LightningModule, split: Split, rows: Evaluated
    ) -> None:
        """Do something with the rows of an epoch; called on every rank with the same rows."""

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
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
        """Keep the batch's texts."""
        self._add(trainer, outputs)

    on_test_epoch_start = on_validation_epoch_start
    on_test_batch_end = on_validation_batch_end

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Hand over the validation split's rows."""
        self._hand_over(trainer, pl_module, "validation")

    def on_test_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Hand over the test split's rows."""
        self._hand_over(trainer, pl_module, "test")

    def _add(self, trainer: L.Trainer, outputs: Any) -> None:
        if isinstance(outputs, Evaluated) and not trainer.sanity_checking:
            self._rows.add(outputs)

    def _hand_over(self, trainer: L.Trainer, pl_module: L.LightningModule, split: Split) -> None:
        if trainer.sanity_checking:
            return
        rows = self._rows.gather()
        if rows.indices:
            self.use(trainer, pl_module, split, rows)


def showing_loggers(trainer: L.Trainer) -> list[ShowsMedia]:
    """Return the run's loggers that take pictures and texts."""
    return [logger for logger in trainer.loggers if isinstance(logger, ShowsMedia)]
