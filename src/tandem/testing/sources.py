"""Three random sources of each kind, of different lengths."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

VOCABULARY = 6
"""The four special symbols and two more: few enough to try every output."""


@dataclass(frozen=True)
class SourceKind:
    """What sources of one kind look like."""

    lengths: tuple[int, int, int]
    """Of the three sources: symbols, rows of pixels, frames or other vectors."""
    draw: Callable[[tuple[int, int], int, Generator], Tensor]
    """From (3, S) and the size of the source: ids (3, S) or vectors (3, S, size), anything in
    their padding."""
    change: Callable[[Tensor], Tensor]
    """Other sources of the same kind, different everywhere."""


TEXT = SourceKind(
    lengths=(5, 1, 3),
    draw=lambda shape, size, generator: torch.randint(size, shape, generator=generator),
    change=lambda source: (source + 1) % VOCABULARY,
)
IMAGE = SourceKind(  # heights that no small square divides
    lengths=(11, 3, 6),
    draw=lambda shape, size, generator: torch.randint(
        256, (*shape, size), dtype=torch.uint8, generator=generator
    ),
    change=lambda source: 255 - source,
)
VECTORS = SourceKind(
    lengths=(18, 1, 11),
    draw=lambda shape, size, generator: torch.randn(
        (*shape, size), dtype=torch.float64, generator=generator
    ),
    change=lambda source: -source,
)


def source_kind(media: str) -> SourceKind:
    """The kind of what a frontend reads; all but text and images are vectors of any numbers."""
    return {"text": TEXT, "image": IMAGE}.get(media, VECTORS)
