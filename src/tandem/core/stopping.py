"""Stopping a run from outside: Ctrl-C, and what a scheduler sends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

DEFAULT_HANDLERS: dict[signal.Signals, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,  # a terminal that closes; under nohup it stays ignored
}


class Stopped(SystemExit):
    """A signal ended the run; the exit code is the shell's for that signal."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(128 + signal_number)
        self.signal_name = signal.Signals(signal_number).name


def stop(signal_number: int, frame: FrameType | None) -> None:
    """Handler of a signal: end what is running."""
    raise Stopped(signal_number)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP raise :class:`Stopped`, unless somebody else handles them."""
    free = [
        number for number, usual in DEFAULT_HANDLERS.items() if signal.getsignal(number) == usual
    ]
    for number in free:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in free:
            signal.signal(number, DEFAULT_HANDLERS[number])


def stopping_signals() -> list[signal.Signals]:
    """Signals that end a run now."""
    return [number for number in DEFAULT_HANDLERS if signal.getsignal(number) is stop]
