"""Takes requests in: their number, their size and their time are limited."""

import asyncio
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from tandem.serving.errors import RequestError
from tandem.serving.limits import Limits

DRAINED = 8
"""Of a body that is too long so many times its limit are received, so that the answer is read."""
JSON = "application/json"
Answer = TypeVar("Answer")


class Admission:
    """Counts the requests that are read, wait or are worked on."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.admitted = 0

    @contextmanager
    def __call__(self) -> Iterator["Deadline"]:
        """Let a request in.

        :raises RequestError: 503, if there are too many.
        """
        if self.admitted >= self.limits.max_requests:
            raise RequestError(
                503,
                f"The server is busy with {self.admitted} requests, which is the most it takes; "
                "send the request again later.",
                {"Retry-After": "1"},
            )
        self.admitted += 1
        try:
            yield Deadline(self.limits.timeout)
        finally:
            self.admitted -= 1


class Deadline:
    """When a request is given up."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    @property
    def rest(self) -> float:
        """Seconds until then."""
        return self.end - time.monotonic()


async def receive_body(request: Request, limits: Limits, deadline: Deadline) -> bytes:
    """The body of a request.

    :raises RequestError: 415 if it is no JSON by its type, 413 if it is too long, 408 if it does
        not come in time.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise RequestError(
            415, f"The body must have the type {JSON}, but has {kind[:60]!r}; send that header."
        )
    chunks, length = [], 0
    try:
        async with asyncio.timeout(deadline.rest):
            async for chunk in request.stream():
                length += len(chunk)
                if length <= limits.max_body:
                    chunks.append(chunk)
                elif length > DRAINED * limits.max_body:
                    break
    except TimeoutError as error:
        raise RequestError(
            408, f"The body did not come within {limits.timeout:g} s; send it faster."
        ) from error
    except ClientDisconnect as error:
        raise RequestError(400, "The body was cut off; send all of it.") from error
    if length > limits.max_body:
        raise RequestError(
            413,
            f"The body has more than {limits.max_body:,} bytes, which is the most that this server "
            "reads; send fewer or smaller sources.",
        )
    return b"".join(chunks)


async def unless_gone(request: Request, work: Awaitable[Answer]) -> Answer:
    """What some work comes to, which is given up if the client goes away.

    :raises RequestError: 499, if it does.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise RequestError(499, "The client has gone away.")
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
