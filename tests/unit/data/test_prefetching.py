"""The next item is made in a thread, which keeps no error to itself and does not stay."""

import _thread
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from tandem.core.errors import InputError
from tandem.core.types import Batch
from tandem.data.prefetching import batches_ahead, one_ahead

SOON = 10
"""Seconds that no waiting takes."""


Threads = Callable[[], set[threading.Thread]]


@pytest.fixture
def threads() -> Threads:
    """Those that have begun in this test and not ended."""
    before = set(threading.enumerate())
    return lambda: set(threading.enumerate()) - before


def test_the_next_item_is_made_in_a_thread_while_one_is_used(threads: Threads) -> None:
    made = [threading.Event() for _ in range(4)]

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            assert threading.current_thread() is not threading.main_thread()
            event.set()
            yield number

    taken = one_ahead(items())
    assert not made[0].is_set()
    assert next(taken) == 0
    assert made[1].wait(SOON)
    assert not made[2].wait(0.05)  # one ahead, and no more
    assert [next(taken), *taken] == [1, 2, 3]
    assert not threads()


def test_an_error_is_raised_in_the_place_of_its_item(threads: Threads) -> None:
    def items() -> Iterator[int]:
        yield 0
        yield 1
        raise InputError("the recording is gone")

    taken = one_ahead(items())
    assert [next(taken), next(taken)] == [0, 1]
    with pytest.raises(InputError, match="the recording is gone"):
        next(taken)
    assert not threads()


def test_a_dropped_iterator_waits_for_nothing_and_its_thread_ends(threads: Threads) -> None:
    may_end = threading.Event()

    def items() -> Iterator[int]:
        yield 0
        assert may_end.wait(SOON)
        yield 1

    taken = one_ahead(items())
    next(taken)
    del taken
    assert threads()
    may_end.set()
    for thread in threads():
        thread.join(SOON)
    assert not threads()


def test_an_interrupt_reaches_whoever_waits_for_an_item(threads: Threads) -> None:
    waited_for = threading.Event()

    def items() -> Iterator[int]:
        yield 0
        assert waited_for.wait(SOON)
        time.sleep(0.1)
        _thread.interrupt_main()  # as Ctrl-C does
        time.sleep(0.1)
        yield 1

    def take() -> int:
        waited_for.set()
        return next(taken)

    taken = one_ahead(items())
    next(taken)
    with pytest.raises(KeyboardInterrupt):
        take()
    assert not threads()
    assert not list(taken)


def test_batches_for_a_gpu_are_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned: list[Any] = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: pinned.append(self) or self)
    ids = torch.tensor([[4, 2]])
    mask = torch.ones(1, 2, dtype=torch.bool)
    batch = Batch.of(
        source=ids,
        source_mask=mask,
        target_in=ids,
        target_out=ids,
        target_mask=mask,
        indices=torch.arange(1),
    )
    assert list(batches_ahead(iter([batch]), torch.device("cpu"))) == [batch]
    assert not pinned
    (ready,) = batches_ahead(iter([batch]), torch.device("cuda"))
    assert ready.total_symbols == 2
    tensors = [part for part in batch if isinstance(part, torch.Tensor)]
    assert list(map(id, pinned)) == list(map(id, tensors))
