"""Checkpoints that are whole or not there."""

import io
import logging
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from tandem.core.errors import InputError, NoRoomError, reason_of
from tandem.core.files import replacing

logger = logging.getLogger(__name__)

LAST, PREVIOUS, BEST = "last.ckpt", "previous.ckpt", "best.ckpt"
TRAINING_PARTS = (
    "state_dict",
    "global_step",
    "epoch",
    "loops",
    "callbacks",
    "optimizer_states",
    "lr_schedulers",
)
"""What a checkpoint to go on from has."""


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the final name and renames, so a crash leaves the previous checkpoint whole.

    Lightning's own writer puts its temporary file into the system's temporary folder and moves
    it; on another file system that move is a copy, which a crash can leave half done.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write ``checkpoint`` to ``path``; there are no ``storage_options`` for local files."""
        if storage_options is not None:
            raise TypeError("AtomicCheckpointIO takes no storage_options")
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        path = Path(path)
        try:
            with replacing(path) as part, part.open("wb") as file:
                file.write(buffer.getbuffer())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            size = buffer.getbuffer().nbytes / 2**20
            raise NoRoomError(
                f"No room for a checkpoint: {path} ({size:.1f} MB) could not be written "
                f"({reason_of(error)}); the previous one is kept, so free space on that disk and "
                "resume the run."
            ) from error


def read_checkpoint(path: Path, *, parts: Iterable[str] = ("state_dict",)) -> dict[str, Any]:
    """Read a checkpoint, which is data and runs no code.

    :param parts: the keys that it must have.
    :raises InputError: if it is damaged, be it by one byte, or is something else.
    """
    try:
        return _read(path, parts)
    except _DamagedError as error:
        raise InputError(
            f"The checkpoint {path} cannot be read ({reason_of(error)}); put back a whole one, or "
            f"remove the folder {path.parent} to start again."
        ) from error


def find_checkpoint(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The newest checkpoint that a run can go on from, and what it says; None if there is none.

    A damaged one is named in the log, and the one before it takes its place, or the best one.

    :raises InputError: if there are checkpoints, but none is whole.
    """
    first: InputError | None = None
    for name in (LAST, PREVIOUS, BEST):
        path = folder / name
        if not path.is_file() or (name == BEST and first is None):
            continue
        try:
            checkpoint = read_checkpoint(path, parts=TRAINING_PARTS)
        except InputError as error:
            first = first or error
            logger.warning("%s: %s", path, error.__cause__)
        else:
            if first is not None:
                step = checkpoint["global_step"]
                logger.warning("Falling back to the checkpoint %s of step %d", path, step)
            return path, checkpoint
    if first is not None:
        raise first
    return None


class _DamagedError(Exception):
    """A checkpoint cannot be read, and why."""


def _read(path: Path, parts: Iterable[str]) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:  # torch's format, in which each entry has a CRC
            damaged = archive.testzip()
        checkpoint = None if damaged else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever zipfile and torch make of what is something else
        reason = reason_of(error)
        raise _DamagedError(reason.partition(". ")[0].rstrip(".")) from error
    if damaged:
        raise _DamagedError(f"its part {damaged} is damaged")
    if not isinstance(checkpoint, dict):
        raise _DamagedError(f"it holds a {type(checkpoint).__name__}, not a mapping")
    missing = [part for part in parts if part not in checkpoint]
    if missing:
        raise _DamagedError(f"it has no {', '.join(missing)}")
    return checkpoint
