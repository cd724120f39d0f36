"""Which validation is the better one."""

import math
from typing import Any

import pytest

from tandem.core.errors import InputError
from tandem.core.quality import Quality, quality_of

NAN = math.nan


@pytest.mark.parametrize(
    ("mode", "better", "worse"),
    [
        ("max", (2.0, 9.0), (1.0, 1.0)),  # score, loss
        ("min", (1.0, 9.0), (2.0, 1.0)),
        ("max", (0.0, 1.0), (0.0, 2.0)),  # a score that stands still
        ("min", (100.0, 1.0), (100.0, 2.0)),
        ("max", (0.0, 9.0), (NAN, 1.0)),
        ("min", (100.0, 9.0), (NAN, 1.0)),
        ("max", (1.0, 9.0), (1.0, NAN)),
    ],
)
def test_scores_then_losses(mode: Any, better: Any, worse: Any) -> None:
    first, second = (
        quality_of({"val/x": score, "val/loss": loss}, monitor="val/x", mode=mode)
        for score, loss in (better, worse)
    )
    assert first > second
    assert first.improves(second)
    assert not second.improves(first)
    assert not first.improves(first)
    assert second.improves(None)


@pytest.mark.parametrize(
    ("score", "loss", "improves"),
    [(10.5, 1.0, False), (11.1, 9.0, True), (10.0, 2.9, True), (10.0, 3.0, False)],
)
def test_by_at_least_min_delta(score: float, loss: float, improves: bool) -> None:
    assert Quality(score, -loss).improves(Quality(10.0, -3.0), min_delta=1.0) is improves


def test_a_monitor_that_nobody_logs() -> None:
    with pytest.raises(InputError) as caught:
        quality_of({"val/loss": 1.0, "train/loss": 1.0}, monitor="val_loss", mode="min")
    assert str(caught.value) == (
        "The monitor val_loss is not among what validation logs (val/loss); choose one of them."
    )
