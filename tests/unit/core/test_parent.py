"""A process that ends with its parent, also while it is stopped."""

import os
import select
import signal

import pytest

from tandem.core.parent import end_with_parent


@pytest.mark.parametrize("number", [signal.SIGCONT, signal.SIGSTOP])
def test_a_child_ends_with_its_parent(number: int) -> None:
    """The pipe's writing end closes when the last process that holds it has ended."""
    reading, writing = os.pipe()
    parent = os.fork()
    if parent == 0:
        parent = os.getpid()
        if os.fork() == 0:
            end_with_parent(parent)
            os.write(writing, b"ready")
            os.kill(os.getpid(), number)
        signal.pause()
        os._exit(0)
    os.close(writing)
    try:
        assert os.read(reading, 5) == b"ready"
        os.kill(parent, signal.SIGKILL)
        os.waitpid(parent, 0)
        assert select.select([reading], [], [], 5)[0]
        assert os.read(reading, 1) == b""
    finally:
        os.close(reading)
