"""Checkpoints that are whole or not there."""

import io
import os
import pickle
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from tandem.core.errors import InputError, NoRoomError


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
        part = path.with_name(path.name + ".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(buffer.getbuffer())
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except OSError as error:
            part.unlink(missing_ok=True)
            size = buffer.getbuffer().nbytes / 2**20
            raise NoRoomError(
                f"No room for a checkpoint: {path} ({size:.1f} MB) could not be written "
                f"({error.strerror}); the previous one is kept, so free space on that disk and "
                "resume the run."
            ) from error


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint, which is data and runs no code."""
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return checkpoint
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        reason, *_ = str(error).splitlines() or [type(error).__name__]
        raise InputError(
            f"The checkpoint {path} cannot be read ({reason.rstrip('.')}); remove it to start "
            "again, or put back a whole one."
        ) from error
