"""A bundle's weights: what its file says of them, before any is read or a network is built."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from tandem.core.errors import InputError
from tandem.inference.files import AGAIN, MEBIBYTE, BundleFiles, memory_size

WEIGHTS = "model.safetensors"
LONGEST_HEADER = 8 * MEBIBYTE
"""Of the file; a header has some 100 bytes a weight."""
FLOATS = ("F64", "F32", "F16", "BF16")
"""Types of floating-point weights, as the file names them."""


class Stored(NamedTuple):
    """What the file's header says of a weight."""

    shape: tuple[int, ...]
    is_float: bool


@dataclass(frozen=True)
class WeightFile:
    """The weights of a bundle, not yet read."""

    files: BundleFiles
    header: dict[str, Stored]
    """By the names that the network's state has, shared ones under each of their names."""

    @property
    def path(self) -> Path:
        """Where they are."""
        return self.files.folder / WEIGHTS

    def check_network(self, build: Callable[[], nn.Module]) -> None:
        """Build a network without memory for its weights, and compare it with the header.

        :raises InputError: if it has other weights than the file, or cannot be built.
        """
        with torch.device("meta"), _at_most(2 * len(self.header) + 10, self):
            state: Mapping[str, Any] = build().state_dict()
        for name in [*state, *self.header]:
            if name not in self.header:
                raise self.unfit(f"the file has no {name}")
            if name not in state:
                raise self.unfit(f"the network has no {name}")
            wanted, stored = state[name], self.header[name]
            if tuple(wanted.shape) != stored.shape:
                raise self.unfit(
                    f"{name} has the shape {stored.shape}, but the network's is "
                    f"{tuple(wanted.shape)}"
                )
            if wanted.is_floating_point() != stored.is_float:
                raise self.unfit(f"{name} is of another type of numbers than the network's")

    def read(self) -> dict[str, Tensor]:
        """All weights.

        :raises InputError: if the file is not as it was written, or a number is not finite.
        """
        path = self.files.path(WEIGHTS)
        try:
            with safe_open(str(path), framework="pt") as file:
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                shared = file.metadata() or {}
        except (OSError, SafetensorError) as error:
            raise _damaged(path, str(error)) from error
        for name, weight in weights.items():
            if weight.is_floating_point() and not weight.isfinite().all():
                raise InputError(
                    f"The weights in {path} hold numbers that are not finite, in {name}, so the "
                    "model can say nothing; its training failed, or the file is not its own."
                )
        return weights | {name: weights[one] for name, one in shared.items() if one in weights}

    def unfit(self, reason: str) -> InputError:
        """The weights and the config are not of one model."""
        return InputError(
            f"The weights in {self.path} do not fit the bundle's config ({reason}); {AGAIN}"
        )


def open_weights(files: BundleFiles) -> WeightFile:
    """Read what the file says of its weights.

    :raises InputError: if it is damaged, or larger than this machine's memory.
    """
    path = files.folder / WEIGHTS
    with files.open(WEIGHTS) as file:
        size = os.fstat(file.fileno()).st_size
        header_size = int.from_bytes(file.read(8), "little")
    if size > memory_size():
        raise InputError(
            f"The weights in {path} take {size / 2**30:,.0f} GiB, but this machine has "
            f"{memory_size() / 2**30:,.0f} GiB of memory; use a larger machine, or not this bundle."
        )
    if header_size > LONGEST_HEADER:
        raise _damaged(path, f"their header has {header_size:,} bytes")
    try:
        with safe_open(str(path), framework="pt") as opened:
            header = {name: _stored(opened, name) for name in opened.keys()}  # noqa: SIM118
            shared = opened.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise _damaged(path, str(error)) from error
    aliases = {name: header[one] for name, one in shared.items() if one in header}
    return WeightFile(files, header | aliases)


def _stored(opened: Any, name: str) -> Stored:
    part = opened.get_slice(name)
    return Stored(tuple(part.get_shape()), part.get_dtype() in FLOATS)


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(f"The weights in {path} are damaged ({reason}); {AGAIN}")


@contextmanager
def _at_most(count: int, weights: WeightFile) -> Iterator[None]:
    """Stop the building of a network that has more weights than a file could fill.

    A weight that stands in two places may be registered twice.
    """
    thread, registered = get_ident(), 0

    def register(module: nn.Module, name: str, parameter: Any) -> None:
        nonlocal registered
        if get_ident() == thread:
            registered += 1
            if registered > count:
                raise weights.unfit(f"the network has more than the file's {len(weights.header)}")

    handle = register_module_parameter_registration_hook(register)
    try:
        yield
    finally:
        handle.remove()
