"""Small records that pass between rooms."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SpecialIds:
    """The ids that every vocabulary reserves, in this order, before its own symbols."""

    pad: int = 0
    bos: int = 1
    eos: int = 2
    unk: int = 3


SPECIAL_IDS = SpecialIds()
SPECIAL_TOKENS = ("<pad>", "<bos>", "<eos>", "<unk>")


@dataclass(frozen=True)
class Hypothesis:
    """One output sequence that search proposes."""

    tokens: list[int]
    """Ids without ``bos``; ``eos`` is the last one if the hypothesis was finished."""
    score: float
    """What search ranked by: the log-probability after the length penalty."""


@dataclass(frozen=True)
class Batch:
    """Examples side by side, padded to the longest; masks are True at real positions."""

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

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "Batch":
        """Return the same batch on another device."""
        return Batch(
            *(value.to(device, non_blocking=non_blocking) for value in self.__dict__.values())
        )

    def doubled(self) -> "Batch":
        """The same examples once more behind themselves, (2B, ...)."""
        return Batch(*(torch.cat((value, value)) for value in self.__dict__.values()))


@dataclass(frozen=True)
class Evaluated:
    """One evaluation batch after search, as text; generated once for all callbacks."""

    indices: list[int]
    """Each example's row in its split."""
    sources: list[str]
    hypotheses: list[str]
    references: list[list[str]]
    """One or more acceptable outputs an example."""
