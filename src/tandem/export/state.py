"""The state of a decoder as flat named tensors, which a graph takes in and gives out."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from tandem.core.state import State
from tandem.inference.exported.description import HYPOTHESES, SOURCES

POSITIONS, PAST = "positions", "past"
"""Axes of other lengths at each call: S' of the memory, and symbols written so far."""
POSITION = "position"
"""The input that says how many symbols were written so far."""


@dataclass(frozen=True)
class StateTensor:
    """One tensor of a state."""

    name: str
    rows: str
    """``sources`` (never reordered) or ``hypotheses`` (reordered along axis 0)."""
    dtype: torch.dtype
    shape: tuple[int | str, ...]
    """Sizes; a name where they differ from call to call."""
    place: int
    """Among the leaves of the state."""
    is_read: bool = True
    """Whether scores depend on what it holds; if not, a graph does without it."""

    @property
    def growing_axis(self) -> int | None:
        """Where each step adds a position; None if its shape stays."""
        return self.shape.index(PAST) if PAST in self.shape else None


@dataclass(frozen=True)
class StateLayout:
    """How a state is made of tensors, in which each hypothesis has a past of its own.

    Caches, whose rows are sources in search and hold what all hypotheses of a source wrote, have
    one row for each hypothesis here, and grow by concatenation. Numbers of steps are the one
    input ``position``.
    """

    tensors: tuple[StateTensor, ...]
    structure: Any
    """The pytree."""
    lengths: tuple[int, ...]
    """Places of numbers that say how long the cache before them is."""
    aliases: Mapping[int, int]
    """Places of tensors that always equal an earlier one, whose place is given."""
    reads_position: bool = True
    """Whether scores depend on the number of symbols before."""

    @property
    def used(self) -> tuple[StateTensor, ...]:
        """What graphs take and give."""
        return tuple(tensor for tensor in self.tensors if tensor.is_read)

    @property
    def changing(self) -> tuple[StateTensor, ...]:
        """Those of them that a step changes."""
        return tuple(tensor for tensor in self.used if tensor.rows == HYPOTHESES)

    def pack(self, state: State, chosen: Iterable[StateTensor]) -> tuple[Tensor, ...]:
        """Some tensors of a state."""
        leaves = pytree.tree_leaves(state)
        return tuple(leaves[tensor.place] for tensor in chosen)

    def by_name(self, state: State) -> dict[str, Tensor]:
        """All tensors of a state."""
        names = (tensor.name for tensor in self.tensors)
        return dict(zip(names, self.pack(state, self.tensors), strict=True))

    def unpack(self, tensors: Mapping[str, Tensor], rows: int) -> State:
        """The state that has these tensors.

        :param tensors: by their names, and ``position``; one that is not read may be missing.
        :param rows: N.
        """
        position = tensors.get(POSITION, torch.zeros((), dtype=torch.long))
        leaves: list[Any] = [position] * self.structure.num_leaves
        past = next(
            (
                tensors[tensor.name].size(tensor.growing_axis)
                for tensor in self.used
                if tensor.growing_axis is not None
            ),
            0,
        )
        for tensor in self.tensors:
            given = tensors.get(tensor.name)
            if given is None:
                sizes = {HYPOTHESES: rows, PAST: past}
                shape = [sizes[size] if isinstance(size, str) else size for size in tensor.shape]
                given = torch.zeros(shape, dtype=tensor.dtype)
            leaves[tensor.place] = given
        for place, original in self.aliases.items():
            leaves[place] = leaves[original]
        for place in self.lengths:
            leaves[place] = leaves[place - 1].size(2)
        state: State = pytree.tree_unflatten(leaves, self.structure)
        return state

    def reading(self, names: Container[str]) -> "StateLayout":
        """The same, knowing the names of what scores depend on."""
        tensors = tuple(replace(tensor, is_read=tensor.name in names) for tensor in self.tensors)
        return replace(self, tensors=tensors, reads_position=POSITION in names)


def lay_out(states: Sequence[State], shorter: State) -> StateLayout:
    """Find out what a decoder's states are made of.

    :param states: after 0, 1, ... steps, one hypothesis a source.
    :param shorter: before the first step over sources of fewer positions.
    """
    leaves = [pytree.tree_leaves(state) for state in (*states, shorter)]
    paths, structure = pytree.tree_flatten_with_path(states[-1])
    tensors: list[StateTensor] = []
    lengths, aliases, counts = [], {}, {"cache": 0, SOURCES: 0, HYPOTHESES: 0}
    for place, (path, _) in enumerate(paths):
        keys = [key.name for key in path if isinstance(key, pytree.GetAttrKey)]
        start, *later, other = (of[place] for of in leaves)
        if not isinstance(start, Tensor):
            if keys[-1] == "length":
                lengths.append(place)
            continue
        kind = "cache" if keys[-1] == "buffer" else _rows(keys)
        if kind == SOURCES:
            twin = _equal_before(start, place, leaves[0], tensors)
            if twin is not None:
                aliases[place] = twin
                continue
        rows = SOURCES if kind == SOURCES else HYPOTHESES
        shape: list[int | str] = list(start.shape)
        shape[0] = rows
        for axis in range(1, start.dim()):
            if other.size(axis) != start.size(axis):
                shape[axis] = POSITIONS
            if any(after.size(axis) != start.size(axis) for after in later):
                shape[axis] = PAST
        name = {SOURCES: "memory", HYPOTHESES: "carry", "cache": "cache"}[kind]
        tensors.append(
            StateTensor(f"{name}_{counts[kind]}", rows, start.dtype, tuple(shape), place)
        )
        counts[kind] += 1
    return StateLayout(tuple(tensors), structure, tuple(lengths), aliases)


def _rows(keys: Sequence[str]) -> str:
    """What the rows of a tensor are that stands behind these attributes of states."""
    return (
        SOURCES if [key for key in keys if key in ("fixed", "carry")][-1] == "fixed" else HYPOTHESES
    )


def _equal_before(
    tensor: Tensor, place: int, leaves: Sequence[Any], tensors: Sequence[StateTensor]
) -> int | None:
    """The place of an earlier tensor of sources with the same numbers, if there is one."""
    for earlier in tensors:
        one = leaves[earlier.place]
        if earlier.rows == SOURCES and one.dtype == tensor.dtype and torch.equal(one, tensor):
            return earlier.place
    return None
