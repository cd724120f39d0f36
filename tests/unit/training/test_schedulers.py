"""Schedules: the rate of each step by hand."""

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

from tandem.core.errors import InputError
from tandem.training import schedulers


def optimizer() -> torch.optim.SGD:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)


def rates(schedule: Callable[..., dict[str, Any]], steps: int, **options: int) -> list[float]:
    """The rate that each of the first steps uses."""
    adapted = optimizer()
    made = schedule(adapted, **options)
    assert made["interval"] == "step"
    used = []
    for _ in range(steps):
        used.append(adapted.param_groups[0]["lr"])
        adapted.step()
        made["scheduler"].step()
    return used


def test_constant() -> None:
    assert rates(schedulers.constant, 3, warmup_steps=0) == [2.0, 2.0, 2.0]
    assert rates(schedulers.constant, 6, warmup_steps=4) == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]


def test_inverse_sqrt() -> None:
    used = rates(schedulers.inverse_sqrt, 16, warmup_steps=4)
    assert used[:4] == [0.5, 1.0, 1.5, 2.0]
    assert used[4] == pytest.approx(2 * math.sqrt(4 / 5))
    assert used[15] == pytest.approx(1.0)


def test_inverse_sqrt_without_warmup() -> None:
    used = rates(schedulers.inverse_sqrt, 4, warmup_steps=0)
    assert used == pytest.approx([2 / math.sqrt(step) for step in (1, 2, 3, 4)])


def test_cosine() -> None:
    used = rates(schedulers.cosine, 14, warmup_steps=2, total_steps=10)
    assert used[:2] == [1.0, 2.0]
    for step in range(3, 11):
        assert used[step - 1] == pytest.approx(1 + math.cos(math.pi * (step - 2) / 8))
    assert used[5] == pytest.approx(1.0)  # half-way
    assert used[9:] == pytest.approx([0.0] * 5)


def test_cosine_must_know_its_end() -> None:
    message = (
        "scheduler=cosine needs an end: `scheduler.total_steps` (-1) has to be larger than "
        "`scheduler.warmup_steps` (5); set trainer.max_steps."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        schedulers.cosine(optimizer(), warmup_steps=5, total_steps=-1)


def test_plateau() -> None:
    adapted = optimizer()
    made = schedulers.plateau(adapted, factor=0.5, patience=1, monitor="val/bleu", mode="max")
    assert (made["monitor"], made["interval"]) == ("val/bleu", "epoch")
    used = []
    for score, loss in ((1.0, 9.0), (2.0, 5.0), (2.0, 4.0), (2.0, 4.0), (2.0, 4.5), (3.0, 9.0)):
        adapted.step()
        made["scheduler"].judge({"val/bleu": score, "val/loss": loss})
        used.append(adapted.param_groups[0]["lr"])
    assert used == [2.0, 2.0, 2.0, 2.0, 1.0, 1.0]
