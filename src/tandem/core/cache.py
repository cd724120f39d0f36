"""Keys and values that grow step by step without being copied at each step."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.export import register_dataclass

BLOCK = 16
"""Positions by which what is read grows, so that the sizes of products seldom change."""


@dataclass(frozen=True)
class Cache:
    """What was written so far at each source: the first ``length`` positions of a buffer.

    :meth:`append` gives a longer cache and leaves this one as it is, though both share a buffer. As
    with slices of a list, whoever appends first writes behind what is there, and whoever appends to
    the same cache again gets a copy. Where gradients are wanted, nothing is written in place.
    """

    buffer: Tensor
    """(B, heads, room, size), finite; what stands behind ``length`` means nothing."""
    length: int = 0
    written: list[int] | None = field(default=None, init=False, compare=False, repr=False)
    """One number, how many positions of the buffer anybody has written; None: it may not be."""

    @property
    def readable(self) -> Tensor:
        """(B, heads, positions, size), whole blocks where room was made; those behind ``length``
        are to be masked.
        """
        exact = torch.is_grad_enabled()
        return self.buffer[:, :, : self.length if exact else _in_blocks(self.length)]

    def positions_after(self, count: int) -> int:
        """How many positions are readable once ``count`` more are appended."""
        end = self.length + count
        return end if self._holds_as_given(count) else _in_blocks(end)

    def append(self, rows: Tensor) -> "Cache":
        """Put ``rows`` (B, heads, count, size) behind the last position."""
        start, end = self.length, self.length + rows.size(2)
        if self._holds_as_given(rows.size(2)):
            return Cache(torch.cat((self.buffer[:, :, :start], rows), 2) if start else rows, end)
        buffer, written = self.buffer, self.written
        if not start:
            buffer, written = rows.new_zeros(*rows.shape[:2], BLOCK, rows.size(3)), [0]
        elif written is None or written[0] != start or end > buffer.size(2) or _is_frozen(buffer):
            room = _in_blocks(end + start // 2)
            buffer, written = F.pad(buffer[:, :, :start], (0, 0, 0, room - start)), [start]
        buffer[:, :, start:end] = rows
        written[0] = end
        return _writable(buffer, end, written)

    def taken(self, order: Tensor) -> "Cache":
        """Some of the positions, ``order`` (B, count): a copy with room for more."""
        count, (_, heads, _, size) = order.size(1), self.buffer.shape
        places = order[:, None, :, None].expand(-1, heads, -1, size)
        buffer = self.buffer.new_zeros(len(order), heads, _in_blocks(count + BLOCK), size)
        buffer[:, :, :count] = self.buffer.gather(2, places)
        return _writable(buffer, count, [count])

    def map(self, change: Callable[[Tensor], Tensor]) -> "Cache":
        """The cache of other sources, made by a change of axis 0."""
        buffer = change(self.buffer)
        return self if buffer is self.buffer else _writable(buffer, self.length, [self.length])

    def _holds_as_given(self, count: int) -> bool:
        """Whether there is no room beside what is held: in training, and for a whole sequence."""
        return torch.is_grad_enabled() or (not self.length and count > 1)


def _writable(buffer: Tensor, length: int, written: list[int]) -> Cache:
    """A cache whose buffer may be written behind ``written``."""
    cache = Cache(buffer, length)
    object.__setattr__(cache, "written", written)
    return cache


def _in_blocks(length: int) -> int:
    """The length, rounded up to whole blocks."""
    return -(-length // BLOCK) * BLOCK


def _is_frozen(buffer: Tensor) -> bool:
    """Whether torch refuses to write into it here."""
    return buffer.is_inference() and not torch.is_inference_mode_enabled()


register_dataclass(Cache, serialized_type_name="tandem.core.cache.Cache")
