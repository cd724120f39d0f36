"""Which devices this machine has, and which one numbers are on."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from tandem.core.errors import InputError

CPU_ALLOCATOR = "DefaultCPUAllocator"
"""In the message when torch finds no memory on a CPU, for which it has no exception of its own."""


def device_count(accelerator: str) -> int:
    """How many processes can have a device of their own; on a CPU one uses all of it.

    :param accelerator: auto, cpu, gpu, cuda or mps.
    """
    return max(1, torch.cuda.device_count()) if accelerator in ("auto", "gpu", "cuda") else 1


def device_types() -> tuple[str, ...]:
    """Where torch can compute on this machine."""
    has = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return ("cpu", *(name for name, is_there in has.items() if is_there))


def check_accelerator(name: str, key: str) -> None:
    """Refuse an accelerator that this machine does not have.

    :param name: auto, cpu, gpu, cuda or mps.
    :param key: the option that names it.
    :raises InputError: if there is none.
    """
    has = device_types()
    if name not in ("auto", *has) and not (name == "gpu" and len(has) > 1):
        raise InputError(
            f"{key}={name} needs a GPU, but torch {torch.__version__} finds none here; choose "
            f"{key}=cpu or auto, or install a build of torch that fits the GPU and its driver."
        )


@contextmanager
def out_of_memory_explained(remedy: str) -> Iterator[None]:
    """Say in a sentence that a device has no memory left, in place of a traceback.

    :param remedy: what to do, the end of the sentence.
    :raises InputError: then.
    """
    try:
        yield
    except RuntimeError as error:  # of which torch.OutOfMemoryError is one
        if not isinstance(error, torch.OutOfMemoryError) and CPU_ALLOCATOR not in str(error):
            raise
        asked = re.search(r"tried to allocate ([\d.]+ \w+)", str(error), re.IGNORECASE)
        more = f" ({asked[1]} more were needed)" if asked else ""
        raise InputError(f"A batch does not fit into memory{more}; {remedy}.") from error


def on_cpu(tensor: Tensor) -> bool:
    """Whether a CPU computes with it: its cache is near, and an operation costs little to start."""
    return tensor.device.type == "cpu"
