"""The clock of a run, over all processes that it went on in."""

import time
from typing import Any

import pytest

from tandem.callbacks import TrainingTime

NO_TRAINER: Any = None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_it_stands_still_before_and_behind_training(clock: list[float]) -> None:
    one = TrainingTime()
    assert one.seconds == 0.0
    clock[0] = 110.0
    one.on_fit_start(NO_TRAINER, NO_TRAINER)
    clock[0] = 117.0
    assert one.seconds == 7.0
    one.on_fit_end(NO_TRAINER, NO_TRAINER)
    clock[0] = 200.0
    assert one.seconds == 7.0


@pytest.mark.parametrize("first", ["load", "start"])
def test_a_resumed_run_counts_on(clock: list[float], first: str) -> None:
    killed, resumed = TrainingTime(), TrainingTime()
    killed.on_fit_start(NO_TRAINER, NO_TRAINER)
    clock[0] = 130.0
    state = killed.state_dict()
    clock[0] = 500.0
    if first == "load":
        resumed.load_state_dict(state)
    resumed.on_fit_start(NO_TRAINER, NO_TRAINER)
    if first == "start":
        resumed.load_state_dict(state)
    clock[0] = 512.0
    assert resumed.seconds == 42.0
