"""A cache grows as a list does whose slices are kept."""

import pytest
import torch
from torch import Tensor

from tandem.core.cache import BLOCK, Cache
from tandem.core.state import State


def rows(count: int, start: int = 0) -> Tensor:
    """(2, 1, count, 3) numbers, all different."""
    numbers = torch.arange(2 * 1 * count * 3, dtype=torch.float64)
    return 100 * start + numbers.view(2, 1, count, 3)


def content(cache: Cache) -> Tensor:
    return cache.readable[:, :, : cache.length]


@pytest.fixture(params=["inference", "no_grad", "grad"])
def mode(request: pytest.FixtureRequest):
    modes = {"inference": torch.inference_mode, "no_grad": torch.no_grad, "grad": torch.enable_grad}
    with modes[request.param]():
        yield request.param


def test_it_holds_what_was_appended(mode: str) -> None:
    cache, expected = Cache(rows(0)), rows(0)
    for start in range(2 * BLOCK + 3):
        positions = cache.positions_after(1)
        cache, expected = cache.append(rows(1, start)), torch.cat((expected, rows(1, start)), 2)
        assert torch.equal(content(cache), expected)
        assert cache.readable.size(2) == positions
    assert cache.length == 2 * BLOCK + 3
    if mode != "grad":
        assert cache.readable.size(2) == 3 * BLOCK


def test_two_ways_on_do_not_disturb_each_other(mode: str) -> None:
    shared = Cache(rows(0)).append(rows(1)).append(rows(1, 1))
    first, second = shared.append(rows(1, 2)), shared.append(rows(1, 3))
    first, second = first.append(rows(2, 4)), second.append(rows(2, 5))
    assert torch.equal(content(shared), torch.cat((rows(1), rows(1, 1)), 2))
    assert torch.equal(content(first)[:, :, 2:], torch.cat((rows(1, 2), rows(2, 4)), 2))
    assert torch.equal(content(second)[:, :, 2:], torch.cat((rows(1, 3), rows(2, 5)), 2))


@torch.inference_mode()
def test_writing_takes_no_copy_while_there_is_room() -> None:
    cache = Cache(rows(0)).append(rows(1))
    assert cache.append(rows(1)).buffer is cache.buffer


def test_a_whole_sequence_is_held_as_it_is() -> None:
    given = rows(5)
    assert Cache(rows(0)).append(given).buffer is given


def test_what_was_written_in_inference_mode_can_be_carried_on_outside() -> None:
    with torch.inference_mode():
        cache = Cache(rows(0)).append(rows(1))
    with torch.no_grad():
        longer = cache.append(rows(1, 1))
    assert torch.equal(content(longer), torch.cat((rows(1), rows(1, 1)), 2))


@torch.inference_mode()
def test_a_state_moves_its_sources() -> None:
    cache = Cache(rows(0)).append(rows(1)).append(rows(1, 1))
    selected = State(fixed=cache).select(torch.tensor([1]), 1).fixed
    grown, other = selected.append(rows(1, 2)[1:]), cache.append(rows(1, 3))
    assert torch.equal(content(grown), torch.cat((rows(1), rows(1, 1), rows(1, 2)), 2)[1:])
    assert torch.equal(content(other)[:, :, 2:], rows(1, 3))


@torch.inference_mode()
def test_positions_can_be_taken_in_another_order() -> None:
    cache = Cache(rows(0)).append(rows(1)).append(rows(1, 1)).append(rows(1, 2))
    taken = cache.taken(torch.tensor([[2, 0], [1, 2]]))
    assert torch.equal(content(taken)[0], torch.cat((rows(1, 2), rows(1)), 2)[0])
    assert torch.equal(content(taken)[1], torch.cat((rows(1, 1), rows(1, 2)), 2)[1])
    assert torch.equal(content(taken.append(rows(1, 4)))[:, :, 2:], rows(1, 4))
