"""A run that trains adapters leaves a model without them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tandem.core.errors import InputError
from tandem.inference.bundle import load_bundle

Run = Callable[..., Any]
TRANSFORMER = ("encoder=transformer", "encoder.num_heads=2", "callbacks.samples.count=0")
LORA = (*TRANSFORMER, "adapter=lora", "adapter.rank=2", "adapter.dropout=0.2", "optimizer.lr=0.05")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_bundle(folder).model.state_dict()


def test_a_run_with_adapters(train_tiny: Run, tmp_path: Path) -> None:
    """It begins with a trained model, goes on exactly, and its bundle scores as the run did."""
    begin = f"init_from={tmp_path / 'start'}"
    train_tiny(tmp_path / "start", *TRANSFORMER, "test=false")
    metrics = train_tiny(tmp_path / "straight", *LORA, begin, "trainer.max_epochs=2")
    train_tiny(tmp_path / "resumed", *LORA, begin)
    train_tiny(tmp_path / "resumed", *LORA, begin, "trainer.max_epochs=2", "resume=true")
    start, straight, resumed = (
        weights(tmp_path / name) for name in ("start", "straight", "resumed")
    )
    assert list(straight) == list(start)
    assert all(torch.equal(resumed[name], weight) for name, weight in straight.items())
    moved = {name for name, weight in start.items() if not torch.equal(weight, straight[name])}
    parts = {name for name in moved if name.startswith(("frontend.", "encoder."))}
    assert {name.rpartition(".")[2] for name in parts} == {"weight"}  # of linear layers
    assert not any("norm" in name or name.startswith("frontend.") for name in parts)
    record = json.loads((tmp_path / "straight" / "run.json").read_text())
    assert 0 < record["trained_parameters"] < record["parameters"]
    log = (tmp_path / "straight" / "train.log").read_text()
    assert f" parameters, of which {record['trained_parameters']:,} (" in log
    again = train_tiny(
        tmp_path / "again",
        *TRANSFORMER,
        f"init_from={tmp_path / 'straight'}",
        "optimizer=sgd",
        "optimizer.lr=0",
    )
    assert again["test/loss"] == pytest.approx(metrics["test/loss"], abs=1e-6)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["optimizer.groups={encoder: {frozen: true}}"],
            "adapter=lora adds weights to train, but optimizer.groups freezes them; leave",
        ),
        (
            ["model.cache_encoder=true"],
            "model.cache_encoder=true keeps what the frontend and the encoder make of each source, "
            "but encoder.layers.0.attention.project.lora_A.default.weight is trained; ",
        ),
    ],
)
def test_what_does_not_go_together(
    train_tiny: Run, tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        train_tiny(tmp_path, *LORA, *overrides)
    assert str(caught.value).startswith(message)
