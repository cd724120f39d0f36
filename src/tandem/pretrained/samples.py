"""Recordings as rows of samples, and back: what a waveform is between a reader and its network."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tandem.core.masks import lengths_to_mask

Samples = npt.NDArray[np.float32]


class Recordings(NamedTuple):
    """Waveforms of different lengths side by side."""

    samples: Tensor
    """(B, N), zeros behind the end of each."""
    lengths: Tensor
    """(B,) samples of each."""


def to_rows(samples: Samples, size: int) -> Samples:
    """(N,) -> (ceil(N / size), 1 + size): in each row how many of its samples are real, and they.

    So the number of samples survives where only rows are counted, as in batches.
    """
    rows = -(-len(samples) // size)
    filled = np.pad(samples, (0, rows * size - len(samples))).reshape(rows, size)
    counts = np.full((rows, 1), size, dtype=np.float32)
    counts[-1] = len(samples) - (rows - 1) * size
    return np.concatenate((counts, filled), axis=1, dtype=np.float32)


def from_rows(rows: Tensor, mask: Tensor) -> Recordings:
    """Undo :func:`to_rows` for a batch: rows (B, S, 1 + size), mask (B, S).

    Only of its last row a recording may lack samples, whatever the others say.
    """
    batch, length, width = rows.shape
    size = width - 1
    count = mask.sum(1)  # (B,) rows
    last = rows[torch.arange(batch, device=rows.device), count - 1, 0]  # (B,)
    lengths = (count - 1) * size + last.round().clamp(1, size).long()
    samples = rows[:, :, 1:].reshape(batch, length * size)
    real = lengths_to_mask(lengths, length * size)
    return Recordings(samples.masked_fill(~real, 0.0), lengths)
