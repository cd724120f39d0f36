"""Tasks on the batches' thread: which are done together, and what becomes of those that fail."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tandem.core.errors import InputError
from tandem.serving.batching import Batches, Task
from tandem.serving.errors import RequestError
from tandem.serving.limits import Limits


@dataclass(eq=False)
class Doubling(Task):
    """Answers its number twice over, after what a test wants to happen first."""

    number: int
    key: Any = "same"
    lengths: Sequence[int] = (1,)
    room: int = 100
    first: Callable[[list["Doubling"], Callable[[], None]], None] = lambda tasks, check: None

    def answers(self, others: Sequence["Doubling"], check: Callable[[], None]) -> list[int]:
        tasks = [self, *others]
        self.first(tasks, check)
        for task in tasks:
            if task.number < 0:
                raise InputError(f"{task.number} is below 0; choose another.")
            if task.number == 0:
                raise ZeroDivisionError
        return [2 * task.number for task in tasks]


def limits(**values: Any) -> Limits:
    usual = {
        **dict.fromkeys(("max_body", "max_sources", "max_source_length", "max_width"), 100),
        **{"max_requests": 100, "timeout": 5.0, "window_ms": 100.0, "max_batch": 10},
        "max_tokens": 100,
    }
    return Limits(**{**usual, **values})


def run(
    work: Callable[[Batches], Coroutine[Any, Any, Any]], **values: Any
) -> tuple[Any, list[int]]:
    """What some work with batches comes to, and how many tasks each batch had."""
    sizes: list[int] = []
    batches = Batches(limits(**values), sizes.append)
    try:
        return asyncio.run(work(batches)), sizes
    finally:
        batches.close()
        assert not any(one.name == "tandem-batches" for one in threading.enumerate())


async def together(batches: Batches, *tasks: Doubling, seconds: float = 5.0) -> list[Any]:
    answers = (batches.answer(task, seconds) for task in tasks)
    return await asyncio.gather(*answers, return_exceptions=True)


@pytest.mark.parametrize(
    ("tasks", "values", "sizes"),
    [
        ([Doubling(n) for n in (1, 2, 3)], {}, [3]),
        ([Doubling(n) for n in (1, 2, 3)], {"max_batch": 1}, [1, 1, 1]),
        ([Doubling(n) for n in (1, 2, 3)], {"max_batch": 2}, [2, 1]),
        ([Doubling(1, key="a"), Doubling(2, key="b"), Doubling(3, key="a")], {}, [2, 1]),
        ([Doubling(1, key=None), Doubling(2, key=None)], {}, [1, 1]),
        ([Doubling(n, lengths=(10,), room=25) for n in (1, 2, 3)], {}, [2, 1]),
        ([Doubling(1, lengths=(2, 2)), Doubling(2, lengths=(30,))], {}, [2]),
        ([Doubling(1, lengths=(2, 2)), Doubling(2, lengths=(40,))], {}, [1, 1]),  # 3 x 40 > 100
        ([Doubling(1, lengths=(500,))], {}, [1]),
    ],
    ids=[
        *("one batch", "none together", "two at most", "by key", "without a key"),
        *("the room", "padding fits", "padding does not fit", "one that is too large"),
    ],
)
def test_what_is_done_together(
    tasks: list[Doubling], values: dict[str, Any], sizes: list[int]
) -> None:
    answers, seen = run(lambda batches: together(batches, *tasks), **values)
    assert answers == [2 * task.number for task in tasks]
    assert seen == sizes


def test_what_fails_together_is_done_alone(caplog: pytest.LogCaptureFixture) -> None:
    tasks = [Doubling(number) for number in (1, 0, -1, 2)]
    answers, sizes = run(lambda batches: together(batches, *tasks))
    assert (answers[0], answers[3], sizes) == (2, 4, [4])
    for answer, status, sentence in (
        (answers[1], 500, "The server failed to answer this request, and its log says why; others"),
        (answers[2], 422, "-1 is below 0; choose another."),
    ):
        assert isinstance(answer, RequestError)
        assert answer.status == status
        assert str(answer).startswith(sentence)
    assert "ZeroDivisionError" in caplog.text


def test_work_that_nobody_waits_for_is_given_up() -> None:
    ended = threading.Event()

    def long(tasks: list[Doubling], check: Callable[[], None]) -> None:
        try:
            for _ in range(1000):
                time.sleep(0.01)
                check()
        finally:
            ended.set()

    async def work(batches: Batches) -> list[Any]:
        slow = await together(batches, Doubling(1, first=long), seconds=0.05)
        return slow + await together(batches, Doubling(2))

    (late, next_one), _ = run(work, window_ms=0, timeout=0.05)
    assert ended.is_set()
    assert next_one == 4
    assert isinstance(late, RequestError)
    assert late.status == 504
    assert str(late) == (
        "The request took more than 0.05 s, so its work was given up; send fewer or shorter "
        "sources, or ask for a smaller search."
    )


def test_what_waits_is_answered_at_the_end() -> None:
    async def work(batches: Batches) -> list[Any]:
        waiting = asyncio.ensure_future(together(batches, Doubling(1)))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(batches.close)
        return await waiting + await together(batches, Doubling(2))

    answers, _ = run(work, window_ms=10_000.0)
    assert [answer.status for answer in answers] == [503, 503]
    assert str(answers[0]).startswith("The server is shutting down; send the request again")
