"""The launcher finds the rank that holds up the others."""

import os
import signal
from pathlib import Path

import pytest

from tandem.training.heartbeat import Heartbeat, Watch


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Instead of killing: whom the launcher ends. A process without a number is dead."""
    pids: list[int] = []

    def kill(pid: int, number: int) -> None:
        if pid == DEAD:
            raise ProcessLookupError
        if number == signal.SIGKILL:
            pids.append(pid)

    monkeypatch.setattr(os, "kill", kill)
    return pids


DEAD = 999_999


def beats(folder: Path, *pids: int) -> list[Heartbeat]:
    found = []
    for rank, pid in enumerate(pids):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "getpid", lambda pid=pid: pid)
            found.append(Heartbeat(folder, rank))
    return found


@pytest.mark.parametrize("behind", [0, 1, 2])
def test_the_rank_that_is_behind_is_named(tmp_path: Path, killed: list[int], behind: int) -> None:
    watch = Watch(tmp_path, limit=10)
    ranks = beats(tmp_path, 10, 11, 12)
    watch.look(0.0)
    for rank, beat in enumerate(ranks):
        if rank != behind:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(os, "getpid", lambda rank=rank: 10 + rank)
                beat.on_train_batch_start()
    for now in (1.0, 10.5):
        watch.look(now)
    assert sorted(killed) == [10, 11, 12]
    assert watch.told == (
        f"Rank {behind} (process {10 + behind}) has made no progress for launch.stalled_after=10 "
        "seconds"
    )
    watch.look(30.0)  # all start again, which takes its time
    assert len(killed) == 3


def test_what_waits_for_a_dead_rank_is_ended(tmp_path: Path, killed: list[int]) -> None:
    watch = Watch(tmp_path, limit=None)
    beats(tmp_path, 10, DEAD)
    watch.look(0.0)
    assert (killed, watch.told) == ([10], "")


def test_ranks_that_get_on_are_left_alone(tmp_path: Path, killed: list[int]) -> None:
    watch = Watch(tmp_path, limit=10)
    one, done = beats(tmp_path, 10, DEAD)
    done.end()
    for now in range(0, 100, 9):
        one.on_validation_batch_end()
        watch.look(float(now))
    assert killed == []
