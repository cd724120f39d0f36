"""Small records that pass between rooms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from tandem.core.memory import StoredMemory


@dataclass(frozen=True)
class SpecialIds:
    """The ids that every vocabulary reserves, in this order, before its own symbols."""

    pad: int = 0
    bos: int = 1
    eos: int = 2
    unk: int = 3


SPECIAL_IDS = SpecialIds()
SPECIAL_TOKENS = ("<pad>", "<bos>", "<eos>", "<unk>")
FIRST_OUTPUT = SPECIAL_IDS.eos
"""The first id that an output can hold: ``pad`` and ``bos`` stand before it."""


@dataclass(frozen=True)
class Hypothesis:
    """One output sequence that search proposes."""

    tokens: list[int]
    """Ids without ``bos``; ``eos`` is the last one if the hypothesis was finished."""
    score: float
    """What search ranked by: the log-probability after the length penalty."""


class Batch(NamedTuple):
    """Examples side by side, padded to the longest; masks are True at real positions.

    A tuple, so that everything that walks through nested tensors (Lightning's precision plugins,
    DDP, FSDP) knows it. What the host must know of a batch it knows from its making, so that no
    training step waits for the device to count; see :meth:`of`.
    """

    source: Tensor
    """(B, S) ids of a text, or (B, S, width) vectors of a picture or recording."""
    source_mask: Tensor
    """(B, S) bool."""
    target_in: Tensor
    """(B, T) the target behind ``bos``."""
    target_out: Tensor
    """(B, T) the target before ``eos``, shifted by one against ``target_in``."""
    target_mask: Tensor
    """(B, T) bool."""
    indices: Tensor
    """(B,) each example's row in its split."""
    target_positions: Tensor
    """(R,) where the real target symbols stand, counted over B x T."""
    total_symbols: int
    """Target symbols of the batch, of which these examples may be one rank's share."""
    memory: StoredMemory | None = None
    """What a frozen encoder has made of the sources before; None: they are still to be read."""

    @classmethod
    def of(
        cls,
        *,
        source: Tensor,
        source_mask: Tensor,
        target_in: Tensor,
        target_out: Tensor,
        target_mask: Tensor,
        indices: Tensor,
        memory: StoredMemory | None = None,
    ) -> "Batch":
        """Count the target symbols while the tensors are on the host."""
        positions = target_mask.flatten().nonzero().squeeze(1)
        return cls(
            source,
            source_mask,
            target_in,
            target_out,
            target_mask,
            indices,
            positions,
            total_symbols=len(positions),
            memory=memory,
        )

    @property
    def num_symbols(self) -> int:
        """R, target symbols of these examples, ``eos`` included."""
        return len(self.target_positions)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "Batch":
        """Return the same batch on another device."""
        return self._with_each(lambda value: value.to(device, non_blocking=non_blocking))

    def pinned(self) -> "Batch":
        """Return the same batch in memory that stays in its place, for a GPU to fetch it."""
        return self._with_each(Tensor.pin_memory)

    def doubled(self) -> "Batch":
        """The same examples once more behind themselves, (2B, ...)."""
        positions = self.target_positions
        return self._with_each(lambda value: torch.cat((value, value)))._replace(
            target_positions=torch.cat((positions, positions + self.target_mask.numel())),
            total_symbols=2 * self.total_symbols,
        )

    def _with_each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        changed: Batch = pytree.tree_map_only(Tensor, change, self)
        return changed


@dataclass(frozen=True)
class Evaluated:
    """One evaluation batch after search, as text; generated once for all callbacks."""

    indices: list[int]
    """Each example's row in its split."""
    sources: list[str]
    hypotheses: list[str]
    references: list[list[str]]
    """One or more acceptable outputs an example."""
