"""Requests that a model answers together: those of some milliseconds, on one thread."""

import asyncio
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from tandem.core.errors import InputError
from tandem.serving.errors import RequestError
from tandem.serving.limits import Limits

logger = logging.getLogger(__name__)

FAILED = "The server failed to answer this request, and its log says why; others are answered."
CLOSING = "The server is shutting down; send the request again when it is back."


class Abandoned(Exception):  # noqa: N818
    """Nobody waits for the work any more."""


class Task(ABC):
    """The work of one request."""

    @property
    @abstractmethod
    def key(self) -> Hashable:
        """Tasks of one key are done together; None: this one is done alone."""

    @property
    @abstractmethod
    def lengths(self) -> Sequence[int]:
        """Positions of each of its sources."""

    @property
    @abstractmethod
    def room(self) -> int:
        """Positions that fit into a batch, padding counted."""

    @abstractmethod
    def answers(self, others: Sequence[Self], check: Callable[[], None]) -> list[Any]:
        """Do the work of this task and the others, in this order, on the batches' thread.

        :param others: of the same key.
        :param check: to be called now and then; it raises :class:`Abandoned`.
        """


@dataclass(eq=False)
class _Entry:
    """A task that waits or is worked on."""

    task: Task
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"
    abandoned: bool = False

    def settle(self, answer: Any) -> None:
        """Give an answer, or an exception, to whoever waits."""

        def settle() -> None:
            if self.future.done():
                return
            if isinstance(answer, BaseException):
                self.future.set_exception(answer)
            else:
                self.future.set_result(answer)

        if not self.abandoned and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(settle)


class Batches:
    """A thread that does tasks, as many at a time as share a key and fit into a batch.

    :param observe: is told of how many requests each batch consists.
    """

    def __init__(self, limits: Limits, observe: Callable[[int], None]) -> None:
        self.limits, self.observe = limits, observe
        self._waiting: deque[_Entry] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="tandem-batches", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """Tasks that wait."""
        return len(self._waiting)

    async def answer(self, task: Task, seconds: float) -> Any:
        """What a task comes to.

        :param seconds: that there are left for it.
        :raises RequestError: 504 if they are not enough; whatever the task raises.
        """
        loop = asyncio.get_running_loop()
        entry = _Entry(task, loop, loop.create_future())
        with self._changed:
            if self._closed:
                raise RequestError(503, CLOSING)
            self._waiting.append(entry)
            self._changed.notify()
        try:
            return await asyncio.wait_for(entry.future, max(seconds, 0))
        except TimeoutError as error:
            raise RequestError(
                504,
                f"The request took more than {self.limits.timeout:g} s, so its work was given "
                "up; send fewer or shorter sources, or ask for a smaller search.",
            ) from error
        finally:
            entry.abandoned = True

    def close(self) -> None:
        """Give all work up, and end the thread."""
        with self._changed:
            self._closed = True
            for entry in self._waiting:
                entry.settle(RequestError(503, CLOSING))
                entry.abandoned = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            if batch:
                self.observe(len(batch))
                self._work(batch)

    def _next_batch(self) -> list[_Entry] | None:
        """The tasks that are done next; None at the end of all."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            end = time.monotonic() + self.limits.window_ms / 1000
            while True:
                batch, is_full = self._together()
                rest = end - time.monotonic()
                if self._closed or is_full or rest <= 0:
                    break
                self._changed.wait(rest)
            for entry in batch:
                self._waiting.remove(entry)
            return batch

    def _together(self) -> tuple[list[_Entry], bool]:
        """The first task with those that fit beside it, and whether no other one would."""
        self._waiting = deque(one for one in self._waiting if not one.abandoned)
        if not self._waiting:
            return [], True
        first = self._waiting[0]
        batch, rows, longest = [first], len(first.task.lengths), max(first.task.lengths)
        if first.task.key is None:
            return batch, True
        for entry in list(self._waiting)[1:]:
            if len(batch) >= self.limits.max_batch:
                break
            if entry.task.key != first.task.key:
                continue
            together = rows + len(entry.task.lengths)
            widest = max(longest, *entry.task.lengths)
            if together * widest > first.task.room:
                return batch, True
            batch, rows, longest = [*batch, entry], together, widest
        return batch, len(batch) >= self.limits.max_batch

    def _work(self, batch: list[_Entry]) -> None:
        """Do tasks together or, if they fail together, each alone."""

        def check() -> None:
            if self._closed or all(entry.abandoned for entry in batch):
                raise Abandoned

        first, *others = (entry.task for entry in batch)
        try:
            answers: list[Any] = first.answers(others, check)
        except Abandoned:
            answers = [RequestError(503, CLOSING)] * len(batch)
        except Exception as error:
            if others:
                for entry in batch:
                    self._work([entry])
                return
            answers = [_failure(error)]
        for entry, answer in zip(batch, answers, strict=True):
            entry.settle(answer)


def _failure(error: Exception) -> RequestError:
    """What a request is told of an error while a model worked for it."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, InputError):
        return RequestError(422, str(error))
    logger.error("A request failed.", exc_info=error)
    return RequestError(500, FAILED)
