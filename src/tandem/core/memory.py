"""What an encoder hands over to the decoder."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor
from torch.export import register_dataclass


@dataclass(frozen=True)
class Memory:
    """The encoder's output, which the decoder reads; a pytree, as torch.export and FSDP need it."""

    states: Tensor
    """(B, S, M) one vector per source position."""
    mask: Tensor
    """(B, S) bool, True = real."""
    summary: Tensor
    """(B, M) the fixed-size context vector."""
    source: Tensor | None = None
    """(B, S) ids of the source's symbols, if the model copies them."""


class StoredMemory(NamedTuple):
    """A memory among the tensors of a batch, with the fields of :class:`Memory`.

    A tuple, as a batch is, so that everything that walks through batches knows it.
    """

    states: Tensor
    mask: Tensor
    summary: Tensor
    source: Tensor | None


register_dataclass(Memory, serialized_type_name="tandem.core.memory.Memory")
