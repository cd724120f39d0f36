"""Which devices this machine has, and which one numbers are on."""

import torch
from torch import Tensor

from tandem.core.errors import InputError


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


def on_cpu(tensor: Tensor) -> bool:
    """Whether a CPU computes with it: its cache is near, and an operation costs little to start."""
    return tensor.device.type == "cpu"
