"""How a process on a CPU keeps the memory that it has freed."""

import ctypes
import os

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
"""Names of glibc's settings, as its header ``malloc.h`` numbers them."""


def keep_freed_memory() -> None:
    """Let glibc use freed memory again rather than give it back to the system after each step.

    Tensors of some megabytes, such as logits, are freed and made at each step. Memory that comes
    back from the system is cleared page by page: 10 % of a step of beam search. A user's own
    variables ``MALLOC_...`` win, and other libraries for C are left alone.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(TRIM_THRESHOLD, 2**31 - 1)
        mallopt(TOP_PAD, 64 * 2**20)
        mallopt(MMAP_THRESHOLD, 32 * 2**20)  # the most that it takes
