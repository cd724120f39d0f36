"""Standard input, output and error: UTF-8 whatever the locale, and there even if closed."""

import os
import sys
from contextlib import suppress
from typing import Any, TextIO

NAMES = ("stdin", "stdout", "stderr")


def set_up() -> None:
    r"""Prepare the streams of a process; called once, before anything reads or writes.

    Output is UTF-8 in files and pipes; a terminal that cannot show a character shows its code, such
    as ``\xe9``. What is closed reads and writes nothing from now on, and no file that is opened
    later gets its number.
    """
    for name in NAMES:
        if getattr(sys, name) is None:  # the lowest number that is free is that of the stream
            nothing = open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8")  # noqa: SIM115
            os.set_inheritable(nothing.fileno(), True)
            setattr(sys, name, nothing)
    _reconfigure(sys.stdin, errors="strict")
    for stream in (sys.stdout, sys.stderr):
        encoding = None if stream.isatty() else "utf-8"
        _reconfigure(stream, encoding=encoding, errors="backslashreplace")


def _reconfigure(stream: Any, **options: str | None) -> None:
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(**options)


def is_closed(stream: TextIO) -> bool:
    """Whether the process was started without a stream, such as by ``>&-`` in a shell."""
    return getattr(stream, "name", "") == os.devnull


def drop_output() -> None:
    """Let what is still to be printed go nowhere, as nobody takes it."""
    _drop(sys.stdout)


def flush() -> None:
    """Print what waits to be printed, or drop it where that fails, before Python tries it again."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _drop(stream)


def _drop(stream: TextIO) -> None:
    with suppress(OSError):  # a stream of a test or notebook has no number
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
