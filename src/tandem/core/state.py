"""What decoding carries from one call to the next."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union

import torch
from torch import Tensor

Tree = Union[Tensor, int, "State", tuple["Tree", ...]]
"""Tensors with rows on axis 0, nested as needed; an int is a step count that all rows share."""


@dataclass(frozen=True)
class State:
    """The state of a decoder or an attention for B sources with K hypotheses each, N = B x K.

    Rows of ``carry`` lie source by source: b0k0 b0k1 b1k0 b1k1. Nobody but the module that made
    a state looks inside it; search only repeats, reorders and selects.
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
        def walk(tree: Tree, change: Callable[[Tensor], Tensor]) -> Tree:
            if isinstance(tree, Tensor):
                return change(tree)
            if isinstance(tree, State):
                return tree._map(on_fixed, on_carry)
            if isinstance(tree, tuple):
                return tuple(walk(branch, change) for branch in tree)
            return tree

        return State(walk(self.fixed, on_fixed), walk(self.carry, on_carry))
