"""Batches under a budget, the same for the same seed, resumable at any place."""

import itertools

import numpy as np
import pytest
import torch

from tandem.core.errors import InputError
from tandem.data.batching import (
    START,
    Budget,
    Encoded,
    EvaluationLoader,
    TrainingLoader,
    plan_batches,
)
from tandem.data.columns import TextColumn, VectorColumn
from tandem.data.ragged import Ragged

CPU = torch.device("cpu")
SIZE = 300


def ragged(lengths) -> Ragged:
    return Ragged.from_lists(
        [[4 + index % 7] * int(length) for index, length in enumerate(lengths)]
    )


@pytest.fixture(scope="module")
def encoded() -> Encoded:
    rng = np.random.default_rng(0)
    source, target = rng.integers(1, 30, SIZE), rng.integers(0, 40, SIZE)
    target[17] = 200  # alone over the budget
    return Encoded(
        TextColumn(ragged(source), before=None, after=2),
        ragged(target),
        rows=np.arange(SIZE) + 1000,
    )


def budget(max_tokens: int = 120, max_source_tokens: int = 90, max_sentences=None) -> Budget:
    return Budget(
        max_tokens=max_tokens, max_source_tokens=max_source_tokens, max_sentences=max_sentences
    )


def training(encoded: Encoded, *, seed: int = 0, rank: int = 0, world_size: int = 1):
    return TrainingLoader(
        lambda epoch: encoded,
        budget(),
        seed=seed,
        rank=rank,
        world_size=world_size,
        device=CPU,
        state=START,
    )


def epoch(loader) -> list[list[int]]:
    return [batch.indices.tolist() for batch in loader]


@pytest.mark.parametrize("seed", [None, 0])
@pytest.mark.parametrize("limits", [{}, {"max_source_tokens": 40}, {"max_sentences": 3}], ids=str)
def test_the_budget_holds_and_every_row_comes_once(encoded, limits, seed) -> None:
    allowed = budget(**limits)
    rng = None if seed is None else np.random.default_rng(seed)
    batches = plan_batches(encoded, allowed, rng=rng)
    assert sorted(np.concatenate(batches).tolist()) == list(range(SIZE))
    for chosen in batches:
        batch = encoded.collate(chosen)
        if len(chosen) > 1:
            assert batch.target_in.numel() <= allowed.max_tokens
            assert batch.source.numel() <= allowed.max_source_tokens
            assert len(chosen) <= (allowed.max_sentences or SIZE)
    assert [17] in [chosen.tolist() for chosen in batches]


def test_no_batch_could_have_taken_its_next_row(encoded) -> None:
    batches = plan_batches(encoded, budget(), rng=None)
    for first, second in itertools.pairwise(batches):
        batch = encoded.collate(np.append(first, second[0]))
        assert batch.target_in.numel() > 120 or batch.source.numel() > 90


def test_batches_hold_similar_lengths(encoded) -> None:
    in_order = [np.arange(SIZE)[start : start + 5] for start in range(0, SIZE, 5)]
    masks = [
        encoded.collate(chosen).target_mask for chosen in plan_batches(encoded, budget(), rng=None)
    ]
    unsorted = [encoded.collate(chosen).target_mask for chosen in in_order]

    def filled(parts) -> float:
        return sum(int(part.sum()) for part in parts) / sum(part.numel() for part in parts)

    assert filled(masks) > 0.95 > 0.7 > filled(unsorted)


def test_collate_by_hand() -> None:
    pairs = Encoded(
        TextColumn(Ragged.from_lists([[5], [6, 7]]), before=None, after=2),
        Ragged.from_lists([[8, 9], []]),
        rows=np.array([30, 40]),
    )
    batch = pairs.collate(np.array([1, 0]))
    assert batch.source.tolist() == [[6, 7, 2], [5, 2, 0]]
    assert batch.source_mask.tolist() == [[True] * 3, [True, True, False]]
    assert batch.target_in.tolist() == [[1, 0, 0], [1, 8, 9]]
    assert batch.target_out.tolist() == [[2, 0, 0], [8, 9, 2]]
    assert batch.target_mask.tolist() == [[True, False, False], [True] * 3]
    assert batch.indices.tolist() == [40, 30]
    assert batch.source.dtype == torch.int64


def test_order_follows_from_seed_and_epoch(encoded) -> None:
    one, same, other = (
        training(encoded, seed=1),
        training(encoded, seed=1),
        training(encoded, seed=2),
    )
    first = epoch(one)
    assert first == epoch(same)
    assert first != epoch(other)
    second = epoch(one)
    assert second == epoch(same)
    assert second != first
    for batches in (first, second):
        assert sorted(itertools.chain(*batches)) == list(range(1000, 1000 + SIZE))


def test_order_is_not_by_length(encoded) -> None:
    longest = [batch.target_in.size(1) for batch in training(encoded)]
    assert longest != sorted(longest)


@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_share_the_rows_of_each_batch(encoded, world_size: int) -> None:
    parts = [
        epoch(training(encoded, rank=rank, world_size=world_size)) for rank in range(world_size)
    ]
    for batch, *shares in zip(epoch(training(encoded)), *parts, strict=True):
        if len(batch) < world_size:
            assert shares == [batch] * world_size
        else:
            assert [batch[rank::world_size] for rank in range(world_size)] == shares
    assert [[1017]] * world_size in [list(shares) for shares in zip(*parts, strict=True)]


def test_a_place_does_not_depend_on_the_number_of_ranks(encoded) -> None:
    whole, half = training(encoded), training(encoded, rank=1, world_size=2)
    for loader in (whole, half):
        going = iter(loader)
        for _ in range(5):
            next(going)
    assert whole.state_dict() == half.state_dict() == {"epoch": 0, "position": 5}


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_evaluation_covers_every_row_once_over_all_ranks(encoded, world_size: int) -> None:
    loaders = [
        EvaluationLoader(encoded, budget(), rank=rank, world_size=world_size, device=CPU)
        for rank in range(world_size)
    ]
    assert len({len(loader) for loader in loaders}) == 1
    seen = [index for loader in loaders for batch in epoch(loader) for index in batch]
    assert sorted(seen) == list(range(1000, 1000 + SIZE))
    assert [len(loader) for loader in loaders] == [len(epoch(loader)) for loader in loaders]
    assert epoch(loaders[0]) == epoch(loaders[0])


def test_ranks_evaluate_the_batches_of_one_rank_and_perhaps_none(encoded) -> None:
    few = Encoded(
        encoded.source.take(np.arange(5)), encoded.target.take(np.arange(5)), np.arange(5)
    )
    roomy = budget(1000, 1000)
    (whole,) = EvaluationLoader(few, roomy, rank=0, world_size=1, device=CPU)
    (first,) = EvaluationLoader(few, roomy, rank=0, world_size=2, device=CPU)
    (second,) = EvaluationLoader(few, roomy, rank=1, world_size=2, device=CPU)
    assert torch.equal(first.source, whole.source)
    assert (len(second.indices), len(second.source), len(second.target_mask)) == (0, 0, 0)
    assert not len(
        VectorColumn(np.ones((4, 2)), np.array([0, 4]), np.array([0])).batch(np.arange(0))[0]
    )


@pytest.mark.parametrize("done", [0, 1, 7, "all but one", "all"])
def test_a_saved_place_gives_exactly_what_remains(encoded, done) -> None:
    loader = training(encoded)
    total = len(loader)
    count = {"all but one": total - 1, "all": total}.get(done, done)
    epoch(loader)  # the place lies in the second epoch
    going = iter(loader)
    for _ in range(count):
        next(going)
    state = loader.state_dict()
    remaining = [batch.indices.tolist() for batch in going] + epoch(loader)
    resumed = training(encoded)
    resumed.load_state_dict(state)
    after = epoch(resumed) if count < total else []
    assert after + epoch(resumed) == remaining


def test_a_place_saved_between_epochs(encoded) -> None:
    loader = training(encoded)
    epoch(loader)
    resumed = training(encoded)
    resumed.load_state_dict(loader.state_dict())
    assert epoch(resumed) == epoch(loader)


@pytest.mark.parametrize("name", ["max_tokens", "max_source_tokens", "max_sentences"])
def test_a_budget_of_nothing(name: str) -> None:
    with pytest.raises(InputError, match=rf"^`batching.{name}` must be at least 1, but is 0\.$"):
        budget(**{name: 0})


def split_of(rows: int, source: int, target: int) -> Encoded:
    """Rows with so many symbols on the two sides, ``eos`` included."""
    return Encoded(
        TextColumn(ragged([source - 1] * rows), before=None, after=2),
        ragged([target - 1] * rows),
        rows=np.arange(rows),
    )


@pytest.mark.parametrize(
    ("rows", "source", "target", "given", "tokens", "batches"),
    [
        (60, 8, 5, {}, (80, 128), 4),  # at least 16 rows a batch
        (160, 8, 10, {}, (160, 128), 10),
        (2000, 20, 10, {}, (400, 800), 50),  # 50 batches an epoch
        (2000, 20, 300, {}, (4096, 800), 154),  # at most 4,096 symbols
        (3, 1000, 1000, {}, (4096, 4096), 1),
        (160, 8, 10, {"max_tokens": 40}, (40, 128), 40),
        (160, 8, 10, {"max_tokens": 999, "max_source_tokens": 999}, (999, 999), 2),
        (160, 8, 10, {"max_sentences": 1}, (160, 128), 160),
    ],
)
def test_a_budget_that_follows_from_the_data(
    rows: int, source: int, target: int, given: dict, tokens: tuple[int, int], batches: int
) -> None:
    empty = {"max_tokens": None, "max_source_tokens": None, "max_sentences": None}
    fitted = Budget(**{**empty, **given}).fitted(train := split_of(rows, source, target))
    assert (fitted.max_tokens, fitted.max_source_tokens) == tokens
    assert len(plan_batches(train, fitted, rng=None)) == batches


def test_a_budget_of_thirty_thousand_pairs_and_of_a_stream() -> None:
    left_open = Budget(max_tokens=None, max_source_tokens=None, max_sentences=None)
    whole = Budget(max_tokens=4096, max_source_tokens=4096, max_sentences=None)
    assert left_open.fitted(split_of(30_000, 12, 12)) == left_open.fitted(None) == whole
