"""How many compiled kernels are kept of a CPU's library."""

import os

CAPACITY = "LRU_CACHE_CAPACITY"
KERNELS = 64
"""As many as the layers of a step share; what was dropped oneDNN may still have."""


def bound_kernels() -> None:
    """Let PyTorch hold fewer of oneDNN's kernels than 1,024, unless the variable is set.

    oneDNN compiles one for each shape of a convolution or a rounded product, batches by length
    have thousands of shapes, and a rounded product's kernel takes half a megabyte. It keeps 1,024
    itself and drops the oldest; but those that PyTorch holds as well stay in memory. This must be
    called before the first one is made. ``ONEDNN_PRIMITIVE_CACHE_CAPACITY`` is oneDNN's own number:
    a larger one takes memory, and saves compiling the shapes of an epoch anew in the next.
    """
    os.environ.setdefault(CAPACITY, str(KERNELS))
