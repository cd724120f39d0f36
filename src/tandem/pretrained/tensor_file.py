"""A file of weights on its own: safetensors alone, as a pickle may run code when it is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from tandem.core.errors import InputError, reason_of

PICKLE, ARCHIVE = b"\x80", b"PK"
"""How a pickle begins, and the archive of one that torch.save writes."""


@dataclass(frozen=True)
class TensorFile:
    """A file of safetensors."""

    key: str
    """What the user calls it by, such as ``encoder.path=file``, for messages."""
    path: Path

    @classmethod
    def open(cls, path: str, *, key: str) -> Self:
        """Look at a file; its tensors are not read yet.

        :param key: of the config, such as ``encoder.path``.
        :raises InputError: if it is missing, damaged or a pickle.
        """
        file = cls(f"{key}={path}", Path(path))
        try:
            with file.path.open("rb") as opened:
                start = opened.read(2)
            if start.startswith((PICKLE, ARCHIVE)):
                raise file._pickle()
            with safe_open(path, framework="pt"):
                return file
        except SafetensorError as error:
            raise file._damaged(error) from error
        except OSError as error:
            raise InputError(
                f"{file.key} cannot be read ({reason_of(error)}); give a file of safetensors."
            ) from error

    def read(self) -> dict[str, Tensor]:
        """Its tensors by name.

        :raises InputError: if it is damaged.
        """
        try:
            return load_file(self.path)
        except (OSError, SafetensorError) as error:
            raise self._damaged(error) from error

    def _pickle(self) -> InputError:
        target = self.path.with_suffix(".safetensors").name
        return InputError(
            f"{self.key} is a pickle, which may run code as it is read; convert it: python -c "
            '"import torch, safetensors.torch as s; '
            f"s.save_file(torch.load('{self.path}', weights_only=True), '{target}')\"."
        )

    def _damaged(self, error: Exception) -> InputError:
        return InputError(
            f"{self.key} is no usable file of safetensors ({reason_of(error)}); get it again."
        )
