"""Stopping a run from outside: Ctrl-C, and what a scheduler sends."""

import signal
import threading
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

    def how_to_go_on(self, call: str) -> str:
        """Say what happened, and how the run goes on.

        :param call: what resumes the run; empty before the first checkpoint.
        """
        if not call:
            return f"{self.signal_name} stopped the run before its first checkpoint."
        return f"{self.signal_name} stopped the run; continue it with: {call}"


def stop(signal_number: int, frame: FrameType | None) -> None:
    """Handler of a signal: end what is running."""
    raise Stopped(signal_number)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP raise :class:`Stopped`, unless somebody else handles them.

    Only the main thread gets signals; in any other nothing changes.
    """
    if not in_main_thread():
        yield
        return
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
    """Signals that end a run now, if this thread gets them."""
    if not in_main_thread():
        return []
    return [number for number in DEFAULT_HANDLERS if signal.getsignal(number) is stop]


def in_main_thread() -> bool:
    """Whether this thread may set handlers of signals."""
    return threading.current_thread() is threading.main_thread()
