"""A bundle's weights: what its file says of them, before any is read or a network is built."""

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from tandem.core.errors import InputError, reason_of
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

    @contextmanager
    def bounds(self) -> Iterator[None]:
        """End the building of a network that takes more memory than these weights could fill.

        Weights are counted where a module registers them, which is before they are drawn. One that
        stands in two places may be registered twice, and one more time if it replaces another.
        """
        sizes = [math.prod(stored.shape) for stored in self.header.values()]
        most, largest, room = 2 * len(sizes) + 10, max(sizes, default=0), 2 * sum(sizes)
        thread = get_ident()

        def register(module: nn.Module, name: str, weight: Any) -> None:
            nonlocal most, room
            if get_ident() != thread:
                return
            most, room = most - 1, room - weight.numel()
            if weight.numel() > largest or most < 0 or room < 0:
                raise self.unfit(
                    f"the network is larger: it has {name} in the shape {tuple(weight.shape)}"
                )

        handle = register_module_parameter_registration_hook(register)
        try:
            yield
        finally:
            handle.remove()

    def check(self, model: nn.Module) -> None:
        """Compare a network with the header.

        :raises InputError: if it has other weights than the file.
        """
        state: Mapping[str, Any] = model.state_dict()
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
            raise _damaged(path, reason_of(error)) from error
        for name, weight in weights.items():
            if weight.is_floating_point() and not weight.isfinite().all():
                raise InputError(
                    f"The weights in {path} hold numbers that are not finite, in {name}, so the "
                    "model cannot be used; its training failed, or the file is of another model."
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
        raise _damaged(path, reason_of(error)) from error
    aliases = {name: header[one] for name, one in shared.items() if one in header}
    return WeightFile(files, header | aliases)


def _stored(opened: Any, name: str) -> Stored:
    part = opened.get_slice(name)
    return Stored(tuple(part.get_shape()), part.get_dtype() in FLOATS)


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(f"The weights in {path} are damaged ({reason}); {AGAIN}")
