"""The largest of long rows, found by blocks, and their normalisers, found by rows."""

import pytest
import torch

from tandem.search import prefixes
from tandem.search.prefixes import BLOCK, ROWS, largest, log_normalizer


@pytest.mark.parametrize("size", [5, BLOCK, 8 * BLOCK, 8 * BLOCK + 7, 3000])
@pytest.mark.parametrize("count", [1, 3])
def test_largest_is_topk(size: int, count: int) -> None:
    scores = torch.randn(20, size, generator=torch.Generator().manual_seed(size)).double()
    scores[3, : size // 2] = -torch.inf
    scores[4, -1] = 100.0
    values, places = largest(scores, count)
    expected = scores.topk(count, dim=1)
    assert torch.equal(values, expected.values)
    assert torch.equal(places, expected.indices)


def test_several_of_one_block_are_found() -> None:
    scores = torch.zeros(1, 10 * BLOCK)
    scores[0, 70:74] = torch.tensor([4.0, 2.0, 3.0, 1.0])
    values, places = largest(scores, 3)
    assert values.tolist() == [[4.0, 3.0, 2.0]]
    assert places.tolist() == [[70, 72, 71]]


def test_the_first_of_equals_is_the_one() -> None:
    scores = torch.zeros(1, 10 * BLOCK)
    scores[0, [200, 210, 400]] = 1.0
    assert largest(scores, 1)[1].tolist() == [[200]]


def test_where_nothing_is_possible_all_places_differ() -> None:
    values, places = largest(torch.full((2, 1000), -torch.inf), 4)
    assert (values == -torch.inf).all()
    assert all(len(set(row)) == 4 for row in places.tolist())


@pytest.mark.parametrize("rows", [1, ROWS, 2 * ROWS + 3])
def test_log_normalizer_is_logsumexp(rows: int) -> None:
    logits = 50 * torch.randn(rows, 30, generator=torch.Generator().manual_seed(rows)).double()
    logits[0, 4:] = -torch.inf
    torch.testing.assert_close(log_normalizer(logits), logits.logsumexp(1, keepdim=True))


@pytest.mark.parametrize("name", ["beam", "constrained", "diverse", "greedy", "sampling"])
def test_room_for_outputs_grows_as_they_do(chain, small_search, monkeypatch, name: str) -> None:
    symbols = dict.fromkeys(range(3, 7), 0.24) | {2: 0.04}
    model = chain([dict.fromkeys(range(7), symbols)] * 2)
    found = []
    for room in (100, 1, 3):
        monkeypatch.setattr(prefixes, "FIRST_ROOM", room)
        found.append(model.search(small_search(name), max_length=11))
    assert found[0] == found[1] == found[2]
    assert max(len(tokens) for one in found[0] for tokens, _ in one) == 11
