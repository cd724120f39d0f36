"""One writer a folder: a lock that ends with the process that holds it, however it ends."""

import errno
import fcntl
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tandem.core.errors import reason_of

logger = logging.getLogger(__name__)

LOCK = ".lock"
"""The lock's file inside the folder; what counts is who holds it, not that it is there."""
NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)
"""What a file system without locks answers."""
PATIENCE = 0.5
"""Seconds for which :func:`lock_folder` asks again, as :func:`is_locked` holds it for a moment."""


class LockedError(Exception):
    """Another process holds the lock; the text says which one, as far as it is known."""


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder that exists; a file system without locks has none to hold.

    :raises LockedError: if another process, or another place of this one, holds it.
    """
    with (folder / LOCK).open("a+") as file:
        _acquire(file.fileno(), folder)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def is_locked(folder: Path) -> bool:
    """Whether a process holds the lock of a folder now."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would block
        with os.fdopen(descriptor, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def lock_file(descriptor: int, path: Path) -> None:
    """Lock an open file for this process alone; a file system without locks has none to hold.

    :param path: how the log names it.
    :raises BlockingIOError: if another process, or another place of this one, holds it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        logger.warning("%s has no locks (%s): start one process there", path, reason_of(error))


def _acquire(descriptor: int, folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            lock_file(descriptor, folder)
            break
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                holder = (folder / LOCK).read_text() or "another process"
                raise LockedError(holder) from error
            time.sleep(0.02)
    if not os.path.samestat(os.fstat(descriptor), (folder / LOCK).stat()):
        raise LockedError("a process that has just ended")  # and removed the folder
