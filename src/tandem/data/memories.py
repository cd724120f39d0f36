"""What a frozen encoder makes of the sources of a split, computed once and mapped from disk."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tandem.core.errors import InputError, reason_of
from tandem.core.memory import Memory, StoredMemory
from tandem.data.cache import CachedPart, cached_part, read_cached
from tandem.data.columns import Rows

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Memories:
    """The memories of a split's examples, of which those with equal sources share one."""

    states: Floats
    """(total, M) of all memories, one behind the other."""
    mask: npt.NDArray[np.bool_]
    """(total,) which states are real."""
    offsets: Rows
    """Memory i is ``states[offsets[i] : offsets[i + 1]]``."""
    summaries: Floats
    """(memories, M)"""
    has_sources: bool
    """Whether memories hold the source's symbols, for a model that copies them."""
    places: Rows
    """The memory of each example."""

    def take(self, rows: Rows) -> "Memories":
        """Those of some examples."""
        return replace(self, places=self.places[rows])

    def batch(self, rows: Rows, source: Tensor) -> StoredMemory:
        """Some memories side by side, padded with zeros.

        :param source: (B, S) or (B, S, width) the same examples' sources.
        """
        places = self.places[rows]
        starts, ends = self.offsets[places], self.offsets[places + 1]
        longest = (ends - starts).max(initial=1)
        states = np.zeros((len(rows), longest, self.states.shape[1]), dtype=np.float32)
        mask = np.zeros((len(rows), longest), dtype=bool)
        for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
            states[row, : end - start] = self.states[start:end]
            mask[row, : end - start] = self.mask[start:end]
        return StoredMemory(
            torch.from_numpy(states),
            torch.from_numpy(mask),
            torch.from_numpy(self.summaries[places]),
            source if self.has_sources else None,
        )


def write_memories(path: Path, size: int, memories: Iterable[tuple[Rows, Memory]]) -> None:
    """Put memories into a file of the cache.

    :param size: M.
    :param memories: of some sources at a time, by their numbers.
    :raises InputError: if it cannot be written.
    """
    try:
        with cached_part(path) as part:
            _write_part(part, size, memories)
    except OSError as error:
        raise InputError(
            f"The cache {path.parent} cannot be written ({reason_of(error)}), but "
            "model.cache_encoder=true needs it; set the environment variable TANDEM_CACHE to a "
            "folder with enough room, or set model.cache_encoder=false."
        ) from error


def _write_part(part: CachedPart, size: int, memories: Iterable[tuple[Rows, Memory]]) -> None:
    numbers: list[int] = []
    masks: list[npt.NDArray[np.bool_]] = []
    summaries: list[Floats] = []
    has_sources = False
    for rows, memory in memories:
        states = memory.states.float().cpu().numpy()
        has_sources = memory.source is not None
        numbers += rows.tolist()
        summaries.append(memory.summary.float().cpu().numpy())
        for row, mask in zip(states, memory.mask.cpu().numpy(), strict=True):
            length = int(mask.nonzero()[0][-1]) + 1  # what stands behind is padding
            part.file.write(np.ascontiguousarray(row[:length]).tobytes())
            masks.append(mask[:length])
    for array in (np.concatenate(summaries), np.concatenate(masks)):
        part.file.write(array.tobytes())
    part.unchecked = part.file.tell()
    index = {
        "size": size,
        "numbers": numbers,
        "lengths": [len(mask) for mask in masks],
        "has_sources": has_sources,
    }
    part.file.write(json.dumps(index).encode())


def read_memories(path: Path, numbers: Rows) -> Memories | None:
    """Map what :func:`write_memories` wrote; None if it is not there, or damaged.

    :param numbers: of each example's source.
    """
    cached = read_cached(path)
    if cached is None:
        return None
    index = json.loads(bytes(cached.checked))
    size, offsets = index["size"], np.concatenate(([0], np.cumsum(index["lengths"])))
    written, total = np.array(index["numbers"]), int(offsets[-1])
    floats = np.frombuffer(cached.unchecked[: -total or None], np.float32).reshape(-1, size)
    order = written.argsort()
    return Memories(
        states=floats[:total],
        mask=np.frombuffer(cached.unchecked[-total:], np.bool_),
        offsets=offsets,
        summaries=floats[total:],
        has_sources=index["has_sources"],
        places=order[np.searchsorted(written, numbers, sorter=order)],
    )
