"""What stands before every path: who may ask, what is counted, and what no answer goes without."""

import ipaddress
import json
import logging
import time
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tandem.core.terminal import visible
from tandem.serving.batching import FAILED
from tandem.serving.errors import RequestError
from tandem.serving.metrics import Metrics

logger = logging.getLogger(__name__)

LONGEST_SENTENCE = 500
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of every answer; none lets another site read it."""
QUIET = ("/health", "/metrics", "/static")
"""Paths whose requests are not logged."""


def error_answer(status: int, sentence: str) -> bytes:
    """The body of an answer that is an error."""
    shown = sentence if len(sentence) <= LONGEST_SENTENCE else f"{sentence[:LONGEST_SENTENCE]}..."
    return json.dumps({"error": shown}).encode()


class Guard:
    """An ASGI app around another one.

    :param hosts: names under which this server is asked, beside addresses and localhost.
    :param paths: that are counted under their own names.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: Collection[str], paths: Collection[str], metrics: Metrics
    ) -> None:
        self.app, self.metrics = app, metrics
        self.hosts, self.paths = {host.lower() for host in hosts}, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        start, answered = time.monotonic(), list[int]()

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])
                guards = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *guards]}
            await send(message)

        try:
            try:
                self._check(scope)
                await self.app(scope, receive, send_guarded)
            except RequestError as error:
                await _send_error(send_guarded, error.status, str(error))
        except Exception as error:  # whatever it is, the server goes on
            logger.error("A request failed.", exc_info=error)
            if not answered:
                await _send_error(send_guarded, 500, FAILED)
        finally:
            self._count(scope, answered[0] if answered else 499, time.monotonic() - start)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        path = scope["path"] if scope["path"] in self.paths else "other"
        self.metrics.requests.add(1, path, str(status))
        self.metrics.seconds.observe(seconds, path)
        if not scope["path"].startswith(QUIET) or status >= 400:
            shown = visible(scope["path"][:100])
            logger.info("%s %s %d %.0f ms", scope["method"], shown, status, 1000 * seconds)

    def _check(self, scope: Scope) -> None:
        """Refuse a page of another site that asks through its reader's browser.

        A name that such a page has made point to this machine (DNS rebinding) is none of this
        server's, and the origin that a browser states is another one.
        """
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if not self._is_ours(host):
            raise RequestError(
                421,
                f"This server does not answer to the name {host!r:.80}; use its address, or start "
                "it with hosts=[the name].",
            )
        origin = headers.get(b"origin")
        if origin is not None and urlsplit_host(origin) != host.lower():
            raise RequestError(
                403, f"Pages of {origin!r:.80} may not ask this server; ask from its own pages."
            )

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self.hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def urlsplit_host(origin: str) -> str:
    """The host and port of an origin, or nothing if it is opaque."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


async def _send_error(send: Any, status: int, sentence: str) -> None:
    body = error_answer(status, sentence)
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
