"""How many processes a run has on each machine, and how they work together."""

import sys

from omegaconf import DictConfig

from tandem.core.devices import check_accelerator, device_count
from tandem.core.errors import InputError

ALL = ("auto", -1)
"""What ``trainer.devices`` has for one process on each device."""


def settle_processes(trainer: DictConfig) -> None:
    """Put numbers in place of ``auto``, and ``ddp`` in place of it where there are several.

    :raises InputError: if there can be no such processes on this machine.
    """
    check_accelerator(trainer.accelerator, "trainer.accelerator")
    if trainer.devices in ALL:
        trainer.devices = device_count(trainer.accelerator)
    if not isinstance(trainer.devices, int) or trainer.devices < 1:
        raise InputError(
            "trainer.devices must be a whole number of at least 1, or auto for all there are, but "
            f"is {trainer.devices}; choose single GPUs by the variable CUDA_VISIBLE_DEVICES."
        )
    if hasattr(sys, "ps1") and trainer.devices * trainer.num_nodes > 1:
        raise InputError(
            f"A notebook or an interactive Python trains with one process, but trainer.devices="
            f"{trainer.devices} and trainer.num_nodes={trainer.num_nodes} ask for several; set "
            "both to 1, or train from a script or with the command tandem train."
        )
    if trainer.strategy == "auto" and trainer.devices * trainer.num_nodes > 1:
        trainer.strategy = "ddp"
