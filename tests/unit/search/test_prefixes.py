"""The best of long rows, found by blocks, and their normalisers, found by rows."""

import pytest
import torch

from tandem.search import base, prefixes
from tandem.search.prefixes import BLOCK, ROWS, expand, largest, log_normalizer

SIZES = [5, BLOCK, 8 * BLOCK, 8 * BLOCK + 7, 3000]


@pytest.mark.parametrize("size", SIZES)
def test_largest_is_max(size: int) -> None:
    scores = torch.randn(20, size, generator=torch.Generator().manual_seed(size)).double()
    scores[3, : size // 2] = -torch.inf
    scores[4, -1] = 100.0
    values, places = largest(scores)
    expected = scores.max(1, keepdim=True)
    assert torch.equal(values, expected.values)
    assert torch.equal(places, expected.indices)


def test_the_first_of_equals_is_the_one() -> None:
    scores = torch.zeros(2, 10 * BLOCK + 3)
    scores[0, [200, 210, 400, 642]] = 1.0
    scores[1, [641, 642]] = 1.0
    assert largest(scores)[1].tolist() == [[200], [641]]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("width", [1, 3])
def test_expand_finds_the_best_of_all_extensions(size: int, width: int) -> None:
    generator = torch.Generator().manual_seed(size)
    scores = torch.randn(4, width, generator=generator).double()
    scores[0, 1:] = -torch.inf
    logits = torch.randn(4 * width, size, generator=generator).double()
    logits[1, : size // 2] = -torch.inf
    logits[2, [0, 1, 2]] = 9.0 + torch.arange(3.0).double()  # several of one block
    normalizer = logits.logsumexp(1, keepdim=True)
    everything = (scores.view(-1, 1) + logits - normalizer).view(4, -1)
    best, parents, symbols = expand(scores, logits, normalizer)
    expected = everything.topk(2 * width, dim=1)
    torch.testing.assert_close(best, expected.values, rtol=0, atol=1e-12)
    assert torch.equal(parents * size + symbols, expected.indices)


def test_where_nothing_is_possible_all_extensions_differ() -> None:
    nothing = torch.full((2, 1000), -torch.inf)
    best, parents, symbols = expand(torch.zeros(1, 2), nothing, torch.zeros(2, 1))
    assert (best == -torch.inf).all()
    assert len(set(zip(parents[0].tolist(), symbols[0].tolist(), strict=True))) == 4


@pytest.mark.parametrize("rows", [1, ROWS, 2 * ROWS + 3])
def test_log_normalizer_is_logsumexp(rows: int) -> None:
    logits = 50 * torch.randn(rows, 30, generator=torch.Generator().manual_seed(rows)).double()
    logits[0, 4:] = -torch.inf
    torch.testing.assert_close(log_normalizer(logits), logits.logsumexp(1, keepdim=True))


SEARCHES = ["beam", "constrained", "diverse", "greedy", "sampling"]


@pytest.mark.parametrize("name", SEARCHES)
def test_room_for_outputs_grows_as_they_do(chain, small_search, monkeypatch, name: str) -> None:
    symbols = dict.fromkeys(range(3, 7), 0.24) | {2: 0.04}
    model = chain([dict.fromkeys(range(7), symbols)] * 2)
    found = []
    for room in (100, 1, 3):
        monkeypatch.setattr(prefixes, "FIRST_ROOM", room)
        found.append(model.search(small_search(name), max_length=11))
    assert found[0] == found[1] == found[2]
    assert max(len(tokens) for one in found[0] for tokens, _ in one) == 11


@pytest.mark.parametrize("name", SEARCHES)
def test_when_it_is_asked_whether_sources_are_done_changes_nothing(
    chain, small_search, tables, monkeypatch, name: str
) -> None:
    model = chain([tables[each] for each in ("straight", "garden_path", "endless")])
    found, steps = [], []
    for every in (1, 3, 100):
        monkeypatch.setattr(base, "positions_between_questions", lambda _, every=every: every)
        model.rows_seen.clear()
        found.append(model.search(small_search(name), max_length=11))
        steps.append(sum(model.rows_seen))
    assert found[0] == found[1] == found[2]
    assert steps[0] < steps[2]
