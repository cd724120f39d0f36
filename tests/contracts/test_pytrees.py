"""torch knows the insides of a memory and of every decoder's state: export, compile, FSDP."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from tandem.core.state import State


class Step(nn.Module):
    """One step of decoding as a module, which torch.export wants."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, state: Any) -> Any:
        return self.model.step(tokens, state)


def assert_same(actual: Any, expected: Any) -> None:
    """The same structure with the same numbers in it."""
    (leaves, layout), (expected_leaves, expected_layout) = map(
        pytree.tree_flatten, (actual, expected)
    )
    assert layout == expected_layout
    torch.testing.assert_close(leaves, expected_leaves, rtol=0, atol=1e-10)


@torch.inference_mode()
def test_states_and_memories_survive_flattening(option_case) -> None:
    case = option_case
    memory = case.model.encode(case.source, case.mask)
    _, state = case.feed_steps(case.target[:, :2], case.model.start(memory))
    for tree in (memory, state):
        leaves, layout = pytree.tree_flatten(tree)
        assert all(isinstance(leaf, Tensor | int) for leaf in leaves)
        rebuilt = pytree.tree_unflatten(leaves, layout)
        assert type(rebuilt) is type(tree)
        assert_same(rebuilt, tree)
    doubled = pytree.tree_map_only(Tensor, lambda tensor: torch.cat((tensor, tensor)), state)
    twice = torch.cat((case.target, case.target))
    expected, _ = case.feed_steps(case.target[:, 2:], state)
    actual, _ = case.feed_steps(twice[:, 2:], doubled)
    torch.testing.assert_close(actual, torch.cat((expected, expected)), rtol=0, atol=1e-10)


def test_steps_export(step_case) -> None:
    case = step_case
    with torch.no_grad():
        memory = case.model.encode(case.source, case.mask)
        _, state = case.feed_steps(case.target[:, :2], case.model.start(memory))
        given = (case.target[:, 2], state)
        exported = torch.export.export(Step(case.model), given).module()
        assert_same(exported(*given), case.model.step(*given))


def test_a_compiled_function_takes_and_gives_states() -> None:
    compiled = torch.compile(lambda state, rows: state.reorder(rows), backend="eager")
    carry = torch.arange(4.0, dtype=torch.float64)
    moved = compiled(State(fixed=carry, carry=(3, [carry])), torch.tensor([1, 0, 3, 2]))
    assert torch.equal(moved.fixed, carry)
    assert torch.equal(moved.carry[1][0], carry[[1, 0, 3, 2]])
