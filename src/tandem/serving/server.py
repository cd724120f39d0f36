"""Runs the app on a port until a signal ends it."""

import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from tandem.core.errors import InputError, reason_of

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE = 5
"""Seconds that requests have to end when the server stops."""
CONNECTIONS = 1000
"""More than so many at a time are answered 503."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections.

    :param port: 0: a free one.
    :raises InputError: if it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise InputError(
            f"The server cannot listen on {host}:{port} ({reason_of(error)}); choose another "
            "port=..., or port=0 for a free one, or another host=..."
        ) from error
    return listening


def url_of(listening: socket.socket) -> str:
    """Where a browser finds it."""
    host, port, *_ = listening.getsockname()
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}/"


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Answer requests until SIGINT or SIGTERM."""
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=GRACE,
    )
    with _signals_end_quietly():
        uvicorn.Server(config).run([listening])


@contextmanager
def _signals_end_quietly() -> Iterator[None]:
    """Let signals that uvicorn has obeyed, and then raises again, be the end of it."""
    before = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
