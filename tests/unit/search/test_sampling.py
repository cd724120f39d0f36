"""Sampling: the frequencies are the probabilities, and the seed decides everything."""

import itertools
import math
import re
from collections import Counter

import pytest
import torch

from tandem.core.errors import InputError
from tandem.search import Sampling
from tandem.search.sampling import draw
from tandem.search.truncation import MinP, Temperature, TopK, TopP

PAD, BOS, EOS, UNK, A, B, C = range(7)
ROW = torch.tensor([[0.4, 0.3, 0.2, 0.1]]).log()


def sampling(num_samples: int, seed: int = 0, **options) -> Sampling:
    defaults = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}
    return Sampling(num_samples=num_samples, seed=seed, **defaults | options)


def left(shape, row: torch.Tensor = ROW) -> list[float]:
    """The distribution that a shape makes of a row."""
    return shape(row).softmax(1)[0].tolist()


def test_temperature_by_hand() -> None:
    squares = [0.16, 0.09, 0.04, 0.01]
    assert left(Temperature(0.5)) == pytest.approx([square / 0.3 for square in squares])


def test_top_k_by_hand() -> None:
    assert left(TopK(2)) == pytest.approx([4 / 7, 3 / 7, 0, 0])
    assert left(TopK(9)) == pytest.approx([0.4, 0.3, 0.2, 0.1])
    assert sorted(left(TopK(2), torch.zeros(1, 4))) == pytest.approx([0, 0, 0.5, 0.5])  # ties


def test_top_p_by_hand() -> None:
    assert left(TopP(0.69)) == pytest.approx([4 / 7, 3 / 7, 0, 0])
    assert left(TopP(0.71)) == pytest.approx([4 / 9, 3 / 9, 2 / 9, 0])
    assert left(TopP(0.01)) == pytest.approx([1, 0, 0, 0])
    shuffled = ROW[:, [3, 1, 0, 2]]
    assert left(TopP(0.69), shuffled) == pytest.approx([0, 3 / 7, 4 / 7, 0])
    assert left(TopP(0.71), shuffled + 5) == pytest.approx([0, 3 / 9, 4 / 9, 2 / 9])


def test_min_p_by_hand() -> None:
    assert left(MinP(0.6)) == pytest.approx([4 / 7, 3 / 7, 0, 0])
    assert left(MinP(0.4), ROW + 5) == pytest.approx([4 / 9, 3 / 9, 2 / 9, 0])
    assert left(MinP(1.0)) == pytest.approx([1, 0, 0, 0])


def test_draw_by_hand() -> None:
    chances = torch.tensor([0.0, 0.39, 0.41, 0.69, 0.71, 1 - 2**-53], dtype=torch.float64)
    rows = torch.tensor([[0.4, 0.0, 0.3, 0.3, 0.0]]).log().expand(6, -1)
    assert draw(rows, chances).tolist() == [0, 0, 2, 2, 3, 3]
    nothing = torch.full((1, 5), -torch.inf)
    assert draw(nothing, chances[:1]).tolist() == [EOS]


TABLE = {
    BOS: {A: 0.5, B: 0.3, EOS: 0.2},
    A: {EOS: 0.6, A: 0.3, C: 0.1},
    B: {EOS: 0.15, C: 0.85},
    C: {EOS: 0.4, A: 0.35, B: 0.25},
}
LONGEST = 3
SAMPLES = 20_000
CHI_SQUARE = {4: 18.47, 5: 20.52, 11: 31.26}
"""Values that are exceeded with probability 0.001, by degrees of freedom (any table has them)."""


def next_probs(last: int, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0) -> dict[int, float]:
    """The next symbol's distribution, written once more with sorted lists."""
    probs = {symbol: prob ** (1 / temperature) for symbol, prob in TABLE[last].items()}
    best = sorted(probs, key=lambda symbol: -probs[symbol])
    best = best[:top_k] if top_k else best
    total, sums = sum(probs[symbol] for symbol in best), [0.0]
    for symbol in best:
        sums.append(sums[-1] + probs[symbol] / total)
    kept = [symbol for symbol, before in zip(best, sums, strict=False) if before < top_p]
    kept = [symbol for symbol in kept if probs[symbol] >= min_p * probs[kept[0]]]
    total = sum(probs[symbol] for symbol in kept)
    return {symbol: probs[symbol] / total for symbol in kept}


def distribution(**options) -> dict[tuple[int, ...], float]:
    """The probability of every output."""
    done: dict[tuple[int, ...], float] = {}
    open_: dict[tuple[int, ...], float] = {(): 1.0}
    for _ in range(LONGEST):
        longer: dict[tuple[int, ...], float] = {}
        for prefix, prob in open_.items():
            for symbol, share in next_probs(prefix[-1] if prefix else BOS, **options).items():
                target = done if symbol == EOS else longer
                target[(*prefix, symbol)] = prob * share
        open_ = longer
    return done | open_


@pytest.mark.parametrize(
    ("options", "outputs"),
    [
        ({}, 12),
        ({"temperature": 0.6}, 12),
        ({"top_k": 2}, 6),
        ({"top_p": 0.75}, 5),
        ({"min_p": 0.45}, 6),
    ],
    ids=str,
)
def test_frequencies_are_the_probabilities(chain, options, outputs) -> None:
    """Pearson's chi-square over all outputs; a wrong distribution fails it (see the next test)."""
    expected = distribution(**options)
    assert len(expected) == outputs
    assert chi_square(chain, sampling(SAMPLES, **options), expected) < CHI_SQUARE[outputs - 1]


@pytest.mark.parametrize("options", [{"temperature": 0.9}, {"top_p": 0.84}, {"min_p": 0.2}])
def test_the_statistic_tells_distributions_apart(chain, options) -> None:
    assert chi_square(chain, sampling(SAMPLES, **options), distribution()) > CHI_SQUARE[11]


def chi_square(chain, method: Sampling, expected: dict[tuple[int, ...], float]) -> float:
    (found,) = chain([TABLE]).search(method, max_length=LONGEST)
    counts = Counter(tuple(tokens) for tokens, _ in found)
    assert counts.keys() <= expected.keys()
    assert sum(counts.values()) == SAMPLES
    assert sum(expected.values()) == pytest.approx(1)
    return sum(
        (counts[output] - SAMPLES * prob) ** 2 / (SAMPLES * prob)
        for output, prob in expected.items()
    )


def test_scores_are_the_model_s_and_the_best_comes_first(chain) -> None:
    (found,) = chain([TABLE]).search(sampling(50, temperature=2.0, top_k=2), max_length=LONGEST)
    whole = distribution()
    for tokens, score in found:
        assert score == pytest.approx(math.log(whole[tuple(tokens)]))
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


def test_normalized_scores_are_summed_as_they_are(chain) -> None:
    table = {BOS: {A: 0.5}, A: {EOS: 0.25}}
    model = chain([table], normalized=True)
    (((tokens, score),),) = model.search(sampling(1))
    assert tokens == [A, EOS]
    assert score == pytest.approx(math.log(0.5 * 0.25))


def test_the_seed_decides(chain) -> None:
    runs = [chain([TABLE, TABLE]).search(sampling(8, seed), max_length=LONGEST) for seed in (3, 3)]
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[0][1]  # two sources do not share their chances
    assert chain([TABLE, TABLE]).search(sampling(8, 4), max_length=LONGEST) != runs[0]


def test_what_other_sources_do_changes_nothing(chain, tables) -> None:
    several = [
        chain([other, TABLE]).search(sampling(4), max_length=LONGEST)[1]
        for other in (tables["straight"], tables["endless"])
    ]
    assert several[0] == several[1]


def test_finished_sources_leave_the_batch(chain, tables) -> None:
    model = chain([tables["straight"], tables["endless"]])
    found = model.search(sampling(3), max_length=5)
    assert {tuple(tokens) for tokens, _ in found[0]} <= {(C, EOS), (EOS,)}
    assert all(set(tokens) <= {A, EOS} for tokens, _ in found[1])
    assert model.rows_seen[:2] == [2, 6]
    assert set(model.rows_seen[2:]) == {3}


def test_cold_sampling_is_greedy(chain, tables) -> None:
    found = chain([tables["garden_path"]]).search(sampling(5, temperature=0.02))[0]
    assert [tokens for tokens, _ in found] == [[A, EOS]] * 5
    assert chain([tables["garden_path"]]).search(sampling(5, top_k=1))[0] == found


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"num_samples": 0},
            "`search.num_samples` must be a whole number of at least 1, but is 0.",
        ),
        ({"seed": -1}, "`search.seed` must be a whole number of at least 0, but is -1."),
        (
            {"temperature": 0},
            "`search.temperature` must be from 0.01 to 100, but is 0; for the most probable symbol "
            "at each step choose search=greedy.",
        ),
        ({"top_k": -1}, "`search.top_k` must be a whole number of at least 0, but is -1."),
        ({"top_p": 0}, "`search.top_p` must be above 0 and at most 1 (1: off), but is 0."),
        ({"top_p": "x"}, "`search.top_p` must be above 0 and at most 1 (1: off), but is 'x'."),
        ({"min_p": math.nan}, "`search.min_p` must be from 0 (off) to 1, but is nan."),
    ],
    ids=str,
)
def test_bad_options(options, message) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        sampling(**{"num_samples": 1} | options)


def test_every_symbol_can_be_drawn_from_a_large_vocabulary() -> None:
    """Sums in single precision would lose symbols at the end of a long row."""
    size = 2**17
    chances = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    rows = torch.zeros(1, size).expand(8, -1)
    places = torch.linspace(0, size - 1, 8).long()
    assert draw(rows, chances[places]).tolist() == places.tolist()


def test_draw_inverts_the_distribution_function() -> None:
    """Over several blocks of symbols, most of them impossible, and more rows than go together."""
    generator = torch.Generator().manual_seed(0)
    rows = 3 * torch.randn(500, 300, generator=generator)
    rows[torch.rand(500, 300, generator=generator) < 0.9] = -torch.inf
    chances = torch.rand(500, generator=generator, dtype=torch.float64)
    chances[:20], chances[20:40] = 0.0, 1 - 2**-53
    sums = rows.double().softmax(1).cumsum(1)
    exact = torch.searchsorted(sums, (chances * sums[:, -1]).unsqueeze(1), right=True).squeeze(1)
    drawn = draw(rows, chances)
    assert drawn.tolist() == exact.tolist()
    assert rows.gather(1, drawn.unsqueeze(1)).isfinite().all()


def test_the_reference_is_itself_right() -> None:
    assert distribution()[(B, C, A)] == pytest.approx(0.3 * 0.85 * 0.35)
    assert next_probs(BOS, top_p=0.75) == pytest.approx({A: 0.625, B: 0.375})
    assert list(itertools.islice(next_probs(A, min_p=0.45), 3)) == [EOS, A]
