"""Rows of an evaluation epoch, put together from all its batches and all ranks."""

import torch.distributed
from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.trainer import Trainer

from tandem.core.types import Evaluated

LOG_PREFIX = {"validation": "val", "test": "test"}
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


def first_rows(rows: Evaluated, count: int) -> Evaluated:
    """Keep the first ``count`` rows."""
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


class FirstRows:
    """Collects the rows with the lowest indices of an epoch: the same rows each time.

    :param count: how many rows to keep.
    """

    def __init__(self, *, count: int) -> None:
        self.count = count
        self.clear()

    def clear(self) -> None:
        """Forget all rows."""
        self.rows = merge([])

    def add(self, evaluated: Evaluated) -> None:
        """Take a batch's rows in."""
        self.rows = first_rows(merge([self.rows, evaluated]), self.count)

    def gather(self) -> Evaluated:
        """Return the first rows over all ranks and forget them; call it on every rank."""
        rows = first_rows(gather(self.rows), self.count)
        self.clear()
        return rows


def wandb_loggers(trainer: Trainer) -> list[WandbLogger]:
    """Return the run's W&B loggers, which can take tables and pictures."""
    return [logger for logger in trainer.loggers if isinstance(logger, WandbLogger)]
