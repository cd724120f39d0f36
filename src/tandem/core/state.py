"""What decoding carries from one call to the next."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union

import torch
from torch import Tensor
from torch.export import register_dataclass

from tandem.core.cache import Cache

Tree = Union[Tensor, int, Cache, "State", tuple["Tree", ...], list["Tree"], dict[Any, "Tree"]]
"""Tensors with rows on axis 0, nested as needed; an int is a step count that all rows share."""


@dataclass(frozen=True)
class State:
    """The state of a decoder or an attention for B sources with K hypotheses each, N = B x K.

    Rows of ``carry`` lie source by source: b0k0 b0k1 b1k0 b1k1. Nobody but the module that made
    a state looks inside it; search only repeats, reorders and selects. It is a pytree, so
    torch.export, torch.compile and FSDP see the tensors in it.
    """

    fixed: Any = ()
    """B rows, each shared by all hypotheses of a source, whatever their order."""
    carry: Any = ()
    """Changes with each step: N rows."""

    def repeat(self, times: int) -> "State":
        """Start ``times`` hypotheses a source: carry rows b0 b1 become b0 b0 b1 b1."""
        return self._with_carry(lambda rows: rows.repeat_interleave(times, 0))

    def reorder(self, rows: Tensor) -> "State":
        """Carry on with the hypotheses ``rows`` (N,), each from the same source as before."""
        return self._with_carry(lambda tensor: tensor.index_select(0, rows))

    def select(self, sources: Tensor, width: int) -> "State":
        """Keep only ``sources`` (B',) with all their ``width`` hypotheses."""
        rows = (sources.unsqueeze(1) * width + torch.arange(width, device=sources.device)).flatten()
        return self._map(
            lambda tensor: tensor.index_select(0, sources),
            lambda tensor: tensor.index_select(0, rows),
        )

    def _with_carry(self, change: Callable[[Tensor], Tensor]) -> "State":
        return self._map(lambda tensor: tensor, change)

    def _map(
        self, on_fixed: Callable[[Tensor], Tensor], on_carry: Callable[[Tensor], Tensor]
    ) -> "State":
        """Change every tensor; raises TypeError at anything that holds rows it cannot move."""

        def walk(tree: Tree, change: Callable[[Tensor], Tensor]) -> Tree:
            if isinstance(tree, Tensor):
                return change(tree)
            if isinstance(tree, int):
                return tree
            if isinstance(tree, Cache):
                return tree.map(change)
            if isinstance(tree, State):
                return tree._map(on_fixed, on_carry)
            if isinstance(tree, dict):
                return {key: walk(branch, change) for key, branch in tree.items()}
            if isinstance(tree, tuple | list):
                branches = [walk(branch, change) for branch in tree]
                return getattr(tree, "_make", type(tree))(
                    branches
                )  # a NamedTuple is made otherwise
            raise TypeError(
                f"A State cannot move the rows of a {type(tree).__name__}; put tensors, ints, "
                "Caches, States, and tuples, NamedTuples, lists and dicts of them into it."
            )

        return State(walk(self.fixed, on_fixed), walk(self.carry, on_carry))


register_dataclass(State, serialized_type_name="tandem.core.state.State")
