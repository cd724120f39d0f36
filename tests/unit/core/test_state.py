"""The verbs of a state, on rows that can be read off."""

import re
from collections import namedtuple
from typing import Any

import pytest
import torch

from tandem.core.state import State


def make(carry_rows: list[int]) -> State:
    """Two sources: fixed 10 and 20; a step count; a nested state beside a tensor."""
    inner = State(fixed=torch.tensor([10, 20]), carry=(3, torch.tensor(carry_rows)))
    return State(fixed=(torch.tensor([[1], [2]]),), carry=(torch.tensor(carry_rows), inner))


def read(state: State) -> tuple[list, list, list, int, list]:
    outer, inner = state.carry
    step, rows = inner.carry
    return state.fixed[0].tolist(), outer.tolist(), inner.fixed.tolist(), step, rows.tolist()


def test_repeat_puts_hypotheses_of_a_source_side_by_side() -> None:
    rows = [5, 5, 5, 6, 6, 6]
    assert read(make([5, 6]).repeat(3)) == ([[1], [2]], rows, [10, 20], 3, rows)


def test_reorder_moves_only_the_carry() -> None:
    moved = make([5, 6, 7, 8]).reorder(torch.tensor([1, 1, 3, 2]))
    assert read(moved) == ([[1], [2]], [6, 6, 8, 7], [10, 20], 3, [6, 6, 8, 7])


def test_select_drops_sources_with_all_their_hypotheses() -> None:
    kept = make([5, 6, 7, 8]).select(torch.tensor([1]), width=2)
    assert read(kept) == ([[2]], [7, 8], [20], 3, [7, 8])


def test_select_may_change_the_order_of_sources() -> None:
    swapped = make([5, 6, 7, 8]).select(torch.tensor([1, 0]), width=2)
    assert read(swapped) == ([[2], [1]], [7, 8, 5, 6], [20, 10], 3, [7, 8, 5, 6])


def test_verbs_leave_the_old_state_alone() -> None:
    state = make([5, 6])
    state.repeat(2)
    state.select(torch.tensor([1]), width=1)
    assert read(state) == ([[1], [2]], [5, 6], [10, 20], 3, [5, 6])


Pair = namedtuple("Pair", ["one", "two"])


@pytest.mark.parametrize(
    "wrap",
    [
        lambda rows: (rows, 3),
        lambda rows: [rows, 3],
        lambda rows: Pair(rows, 3),
        lambda rows: {"one": rows, "two": [{"three": 3}]},
        lambda rows: {"one": [(Pair(rows, ()),)]},
    ],
    ids=["tuple", "list", "NamedTuple", "dict", "nested"],
)
def test_verbs_move_tensors_in_every_container(wrap: Any) -> None:
    state = State(fixed=wrap(torch.tensor([1, 2])), carry=wrap(torch.tensor([5, 6])))
    repeated = State(wrap(torch.tensor([1, 2])), wrap(torch.tensor([5, 5, 6, 6])))
    assert repr(state.repeat(2)) == repr(repeated)
    reordered = State(wrap(torch.tensor([1, 2])), wrap(torch.tensor([6, 5])))
    assert repr(state.reorder(torch.tensor([1, 0]))) == repr(reordered)
    selected = State(wrap(torch.tensor([2])), wrap(torch.tensor([6])))
    assert repr(state.select(torch.tensor([1]), 1)) == repr(selected)


@pytest.mark.parametrize("stray", [None, 0.5, "text", {1, 2}])
def test_verbs_refuse_what_they_cannot_move(stray: Any) -> None:
    message = (
        f"A State cannot move the rows of a {type(stray).__name__}; put tensors, ints, Caches, "
        "States, and tuples, NamedTuples, lists and dicts of them into it."
    )
    for state in (State(fixed=[stray]), State(carry=(torch.tensor([1]), stray))):
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            state.repeat(2)
