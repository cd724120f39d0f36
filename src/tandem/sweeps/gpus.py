"""Which of a machine's GPUs each worker of a sweep sees."""

import logging
import os

import torch

logger = logging.getLogger(__name__)

MASK = "CUDA_VISIBLE_DEVICES"
"""The variable by which CUDA knows them; its entries are numbers or names of GPUs."""


def visible_gpus() -> list[str]:
    """The GPUs that this process sees, as the mask names them."""
    count = torch.cuda.device_count()
    mask = os.environ.get(MASK)
    return list(map(str, range(count))) if mask is None else mask.split(",")[:count]


def shares(gpus: list[str], workers: int) -> list[str | None]:
    """A mask for each worker: GPUs of its own, or one with others; None where there is none.

    Of more GPUs than workers each has as many as there are for all.
    """
    if not gpus:
        return [None] * workers
    if workers > len(gpus):
        logger.warning(
            "workers=%d share %d GPUs, so trainings wait for each other; workers=%d have one each",
            *(workers, len(gpus), len(gpus)),
        )
        return [gpus[worker % len(gpus)] for worker in range(workers)]
    each = len(gpus) // workers
    return [",".join(gpus[worker * each : (worker + 1) * each]) for worker in range(workers)]


def see_only(mask: str | None) -> None:
    """Let this process, which has not used a GPU yet, see no others."""
    if mask is not None:
        os.environ[MASK] = mask
