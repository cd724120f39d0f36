"""``trainer.devices`` and ``trainer.strategy`` on machines with and without GPUs."""

import sys

import pytest
import torch
from omegaconf import OmegaConf

from tandem.config.processes import settle_processes
from tandem.core.errors import InputError


@pytest.mark.parametrize(
    ("gpus", "trainer", "settled"),
    [
        (0, ("auto", 1, 1, "auto"), (1, "auto")),
        (0, ("auto", "auto", 1, "auto"), (1, "auto")),
        (0, ("cpu", -1, 1, "ddp"), (1, "ddp")),
        (0, ("cpu", 2, 1, "auto"), (2, "ddp")),
        (4, ("cpu", "auto", 1, "auto"), (1, "auto")),
        (4, ("auto", 1, 1, "auto"), (1, "auto")),
        (4, ("auto", "auto", 1, "auto"), (4, "ddp")),
        (4, ("gpu", -1, 1, "fsdp"), (4, "fsdp")),
        (1, ("gpu", "auto", 1, "auto"), (1, "auto")),
        (1, ("gpu", "auto", 2, "auto"), (1, "ddp")),
    ],
)
def test_auto_is_all(
    gpus: int,
    trainer: tuple[str, int | str, int, str],
    settled: tuple[int, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    names = ("accelerator", "devices", "num_nodes", "strategy")
    cfg = OmegaConf.create(dict(zip(names, trainer, strict=True)))
    settle_processes(cfg)
    assert (cfg.devices, cfg.strategy) == settled


def test_a_notebook_has_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    options = {"accelerator": "cpu", "devices": 2, "num_nodes": 1, "strategy": "ddp"}
    with pytest.raises(InputError, match=r"devices=2 and .* train from a script or with the comm"):
        settle_processes(OmegaConf.create(options))
