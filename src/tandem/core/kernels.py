"""Which compiled kernels are used and kept: those of a CPU's library, and attention on a GPU."""

import os

import torch

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


class WithoutCudnnAttention:
    """A context in which PyTorch's attention takes any of its kernels but cuDNN's.

    cuDNN builds an execution plan for every new shape and stride, forward and backward, and batches
    by length always have new ones. Under bf16 PyTorch takes it first on new cards: on an H200 a
    step of 37 ms took 169 ms, and even with shapes that came back the others were faster by 6.5 %.
    The backward pass follows the kernel that the forward pass took.

    It is put around each call, and leaves a user's own choice among the kernels as it is: switched
    off for a whole process, it would be off for other models of whoever uses ours. Its functions
    are private, as the public ones are no part of a compiled graph, or take four times as long.
    """

    def __enter__(self) -> None:
        self._enabled = torch._C._get_cudnn_sdp_enabled()
        torch._C._set_sdp_use_cudnn(False)

    def __exit__(self, *exception: object) -> None:
        torch._C._set_sdp_use_cudnn(self._enabled)
