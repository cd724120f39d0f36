"""Operations that a step of a recurrent decoder with input feeding starts, forward and backward.

    python benchmarks/operations.py

On a GPU most are a kernel, and small models are bound by launching them. Counted on a CPU, as the
difference of targets of 13 and of 3 positions; views and new memory do not count. ``multi_head``
has one fused kernel on a GPU, in place of the two products, mask and softmax of a CPU.
"""

from collections import Counter
from functools import partial
from typing import Any

import rich
import torch
from rich.table import Table
from torch.utils._python_dispatch import TorchDispatchMode

from tandem.attentions import AdditiveAttention, LocationAttention, MultiHeadAttention
from tandem.bridges import LinearBridge
from tandem.core.memory import Memory
from tandem.decoders import RecurrentDecoder
from tandem.layers.cells import CELLS

ATTENTIONS: dict[str, partial[Any]] = {
    "additive": partial(AdditiveAttention, size=8),
    "location": partial(LocationAttention, size=8, num_filters=4, kernel_size=5, cumulative=False),
    "multi_head": partial(MultiHeadAttention, num_heads=2, dropout=0.0),
}
FREE = ("detach", "_unsafe_view", "empty", "empty_like", "new_empty")
"""Operations that compute nothing, beside views."""
SHORT, LONG = 3, 13


class Count(TorchDispatchMode):
    """Counts operations by name."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = func.overloadpacket.__name__
        if not func.is_view and name not in FREE:
            self.operations[name] += 1
        return func(*args, **(kwargs or {}))


def operations(cell: str, attention: str, length: int) -> int:
    """Of a pass over a target of so many positions and its gradients."""
    torch.manual_seed(0)
    decoder = RecurrentDecoder(
        6,
        10,
        attention=ATTENTIONS[attention],
        bridge=LinearBridge,
        cell=cell,
        hidden_size=8,
        num_layers=1,
        input_feeding=True,
        output_size=6,
        dropout=0.1,
    )
    states = torch.randn(3, 5, 10, requires_grad=True)
    memory = Memory(states, torch.ones(3, 5, dtype=torch.bool), states.mean(1))
    inputs = torch.randn(3, length, 6, requires_grad=True)
    with Count() as count:
        decoder(inputs, decoder.start(memory)).features.sum().backward()
    return count.operations.total()


def main() -> None:
    """Print a table of all cells and attentions."""
    table = Table("operations a step", *ATTENTIONS)
    for cell in CELLS:
        steps = [
            (operations(cell, attention, LONG) - operations(cell, attention, SHORT))
            / (LONG - SHORT)
            for attention in ATTENTIONS
        ]
        table.add_row(cell, *(f"{step:g}" for step in steps))
    rich.print(table)


if __name__ == "__main__":
    main()
