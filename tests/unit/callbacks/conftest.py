"""A run small enough for unit tests: a module with one weight vector and texts by formula."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from tandem.callbacks import AttentionMaps
from tandem.core.types import Batch, Evaluated
from tandem.reports import AttentionMap, Drawing, draw


def batches(count: int, first: int = 0) -> list[Batch]:
    """Batches of two examples with three real target tokens each, the last a shorter one."""
    mask = torch.tensor([[True, True, True, False], [True, True, False, False]])
    ones = torch.ones(2, 4, dtype=torch.long)
    return [
        Batch.of(
            source=ones,
            source_mask=mask,
            target_in=ones,
            target_out=ones,
            target_mask=mask,
            indices=torch.tensor([first + 2 * i, first + 2 * i + 1]),
        )
        for i in range(count)
    ]


def loader(count: int) -> "DataLoader[Batch]":
    return DataLoader(batches(count), batch_size=None)  # type: ignore[arg-type]


class TinyModule(L.LightningModule):
    """Logs what the real module logs, and remembers what it was trained on."""

    def __init__(self, *, with_weights: bool = True, search: bool = True) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(3))
        self.with_weights = with_weights
        self.search = search
        self.asked: list[tuple[list[int], str, list[str]]] = []
        self.losses: list[float] = []

    def training_step(self, batch: Batch, batch_idx: int) -> Any:
        loss = (self.weight * (1 + batch.indices[0] % 5)).sum() ** 2 / 100
        self.losses.append(float(loss.detach()))
        self.log("train/loss", loss, prog_bar=True, batch_size=2)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> Any:
        self.log("val/loss", self.weight.sum() ** 2, prog_bar=True, batch_size=2)
        return self._evaluated(batch) if self.search else None

    def test_step(self, batch: Batch, batch_idx: int) -> Any:
        return self._evaluated(batch)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.5)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]

    def drawings(self, split: str, rows: Evaluated) -> list[Drawing]:
        self.asked.append((rows.indices, split, rows.hypotheses))
        drawing = partial(draw, AttentionMap(["a", "b"], ["c"], np.array([[0.3, 0.7]])))
        return [drawing if self.with_weights else None for _ in rows.indices]

    @staticmethod
    def _evaluated(batch: Batch) -> Evaluated:
        rows = batch.indices.tolist()
        return Evaluated(
            indices=rows,
            sources=[f"source {row}" for row in rows],
            hypotheses=[f"output {row}" if row % 4 else "wrong" for row in rows],
            references=[[f"output {row}"] for row in rows],
        )


def trainer(folder: Path, **settings: Any) -> L.Trainer:
    defaults: dict[str, Any] = {
        "accelerator": "cpu",
        "max_epochs": 1,
        "logger": False,
        "log_every_n_steps": 2,
        "enable_model_summary": False,
        "enable_progress_bar": False,
        "enable_checkpointing": False,
        "default_root_dir": folder,
    }
    return L.Trainer(**{**defaults, **settings})


@pytest.fixture
def tiny_module(monkeypatch: pytest.MonkeyPatch) -> type[TinyModule]:
    def drawings(
        trainer: L.Trainer, module: TinyModule, split: str, rows: Evaluated
    ) -> list[Drawing]:
        return module.drawings(split, rows)

    monkeypatch.setattr(AttentionMaps, "drawings", staticmethod(drawings))
    return TinyModule


@pytest.fixture
def tiny_loader() -> Callable[[int], "DataLoader[Batch]"]:
    return loader


@pytest.fixture
def tiny_trainer(tmp_path: Path) -> Callable[..., L.Trainer]:
    return partial(trainer, tmp_path)
