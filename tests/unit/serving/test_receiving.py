"""Requests as they come in: bodies in pieces, clients that are slow or go away."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.requests import Request

from tandem.serving.errors import RequestError
from tandem.serving.limits import Limits
from tandem.serving.receiving import Deadline, receive_body, unless_gone

LIMITS = Limits(
    **dict.fromkeys(("max_sources", "max_source_length", "max_width", "max_requests"), 1),
    max_body=10,
    timeout=0.1,
    window_ms=0.0,
    max_batch=1,
    max_tokens=1,
)


def request(*messages: dict[str, Any]) -> Request:
    """A request whose connection says so much and then is silent."""
    rest = iter(messages)

    async def receive() -> dict[str, Any]:
        for message in rest:
            return message
        await asyncio.sleep(60)
        raise AssertionError

    headers = [(b"content-type", b"application/json; charset=utf-8")]
    return Request({"type": "http", "headers": headers}, receive)


def parts(contents: Iterable[bytes], *, more: bool = False) -> list[dict[str, Any]]:
    messages = [{"type": "http.request", "body": one, "more_body": True} for one in contents]
    messages[-1]["more_body"] = more
    return messages


def test_a_body_in_pieces() -> None:
    whole = request(*parts([b"ab", b"", b"cdefghij"]))
    assert asyncio.run(receive_body(whole, LIMITS, Deadline(5))) == b"abcdefghij"


@pytest.mark.parametrize(
    ("messages", "status", "begins"),
    [
        (parts([b"a" * 6] * 2), 413, "The body has more than 10 bytes, which is the most that t"),
        (parts([b"a" * 50] * 9, more=True), 413, "The body has more than 10 bytes, which is the"),
        (parts([b"a"], more=True), 408, "The body did not come within 0.1 s; send it faster."),
        ([{"type": "http.disconnect"}], 400, "The body was cut off; send all of it."),
    ],
    ids=["long", "without an end", "slow", "cut off"],
)
def test_refusals(messages: list[dict[str, Any]], status: int, begins: str) -> None:
    with pytest.raises(RequestError) as caught:
        asyncio.run(receive_body(request(*messages), LIMITS, Deadline(LIMITS.timeout)))
    assert (caught.value.status, str(caught.value)[: len(begins)]) == (status, begins)


def test_work_for_a_client_that_goes_away_is_cancelled() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("work")

    with pytest.raises(RequestError, match=r"^The client has gone away\.$") as caught:
        asyncio.run(unless_gone(request({"type": "http.disconnect"}), work()))
    assert (caught.value.status, ended) == (499, ["work"])


def test_work_for_a_client_that_waits() -> None:
    async def work() -> int:
        await asyncio.sleep(0.01)
        return 5

    assert asyncio.run(unless_gone(request(), work())) == 5
