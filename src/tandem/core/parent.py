"""A process that ends with the one that started it, however that ends."""

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
SECONDS_BETWEEN_LOOKS = 1.0


MISTAKE_FILE = "TANDEM_MISTAKE_FILE"
"""The variable that names the file in which a process says to its launcher what it refuses."""


def end_with_parent(parent: int) -> None:
    """Let this process be killed when its parent ends.

    On Linux the system does so, even while this process is stopped; elsewhere a thread looks.

    :param parent: the parent's process id, as it may have ended already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
