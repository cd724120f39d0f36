"""How many compiled kernels a CPU's library keeps."""

import os

CAPACITY = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
KERNELS = 16384
"""More than the shapes in an epoch of batches by length, each with its products and gradients."""


def keep_kernels() -> None:
    """Let oneDNN keep more kernels than its own 1,024, unless the variable is set.

    It compiles one for each shape of a convolution or a rounded product, and batches by length
    have thousands of shapes; what is dropped is compiled anew in the next epoch. This must be
    called before oneDNN makes its first one.
    """
    os.environ.setdefault(CAPACITY, str(KERNELS))
