"""Diverse beam search against a search written with lists, and its special cases."""

import math
import re

import pytest
import torch

from tandem.core.errors import InputError
from tandem.search import BeamSearch, DiverseBeamSearch

PAD, BOS, EOS, UNK, A, B, C = range(7)
LONGEST = 4


def diverse(width, groups, diversity, length_penalty="none", alpha=1.0) -> DiverseBeamSearch:
    return DiverseBeamSearch(
        width=width,
        groups=groups,
        diversity=diversity,
        length_penalty=length_penalty,
        alpha=alpha,
    )


def beam(width, length_penalty="none", alpha=1.0) -> BeamSearch:
    return BeamSearch(width=width, length_penalty=length_penalty, alpha=alpha, stop="pool")


@pytest.fixture
def model(chain):
    """Sources in which everything but another ``bos`` is possible everywhere."""

    def make(sources: int = 2):
        generator = torch.Generator().manual_seed(5)
        made = chain([{}] * sources)
        made.logits = 1.5 * torch.randn(made.logits.shape, generator=generator).double()
        made.logits[:, :, EOS] -= 1.0
        made.logits[:, :, BOS] = -1e9
        return made

    return make


def with_lists(log_probs, method: DiverseBeamSearch) -> dict[tuple[int, ...], float]:
    """The same search for one source, prefix by prefix.

    :param log_probs: (V, V) of a chain.
    """
    size = method.width // method.groups
    open_ = [{(): 0.0} for _ in range(method.groups)]
    pools: list[dict[tuple[int, ...], float]] = [{} for _ in range(method.groups)]
    done = [False] * method.groups
    for length in range(1, LONGEST + 1):
        counts = dict.fromkeys(range(7), 0)
        for group, pool in enumerate(pools):
            if done[group]:
                continue
            extended = [
                ((*prefix, symbol), score + log_probs[(BOS, *prefix)[-1]][symbol])
                for prefix, score in open_[group].items()
                for symbol in range(7)
            ]
            extended.sort(key=lambda pair: method.diversity * counts[pair[0][-1]] - pair[1])
            for output, score in extended[:size]:
                counts[output[-1]] += 1
                if output[-1] == EOS or length == LONGEST:
                    pool[output] = score / method.penalty(length)
            best = sorted(pool, key=lambda output: -pool[output])[:size]
            pools[group] = {output: pool[output] for output in best}
            going = [pair for pair in extended[: 2 * size] if pair[0][-1] != EOS][:size]
            open_[group] = dict(going)
            full = len(best) == size
            most = max(score for _, score in going) / method.penalty(length)
            done[group] = full and pools[group][best[-1]] >= most
    return {output: score for pool in pools for output, score in pool.items()}


@pytest.mark.parametrize(
    "method",
    [
        diverse(3, 3, 0.8),
        diverse(6, 3, 0.8),
        diverse(6, 2, 2.5, "average"),
        diverse(8, 2, 0.3, "gnmt", 0.7),
        diverse(4, 4, 100.0),
    ],
    ids=["singles", "pairs", "average", "gnmt", "strong"],
)
def test_equals_a_search_with_lists(model, method) -> None:
    made = model(5)
    for source, found in enumerate(made.search(method, max_length=LONGEST)):
        log_probs = made.logits[source].log_softmax(-1).tolist()
        expected = with_lists(log_probs, method)
        assert {tuple(tokens): score for tokens, score in found} == pytest.approx(expected)
        scores = [score for _, score in found]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("penalty", ["none", "average"])
def test_one_group_is_beam_search(model, penalty) -> None:
    plain = model().search(beam(3, penalty), LONGEST)
    assert model().search(diverse(3, 1, 0.9, penalty), LONGEST) == plain


def test_without_diversity_all_groups_find_what_one_finds(model) -> None:
    assert model().search(diverse(6, 3, 0.0), LONGEST) == model().search(beam(2), LONGEST)


def test_strong_diversity_makes_groups_begin_with_different_symbols(model) -> None:
    for found in model().search(diverse(4, 4, 100.0), LONGEST):
        assert len({tokens[0] for tokens, _ in found}) == 4


def test_by_hand(chain) -> None:
    """The second group leaves A for B: 0.3 beats 0.6 / e, but not 0.6 / e ** 0.5."""
    table = {BOS: {A: 0.6, B: 0.3, C: 0.1}, A: {EOS: 1.0}, B: {EOS: 1.0}, C: {EOS: 1.0}}
    a, b = ([A, EOS], math.log(0.6)), ([B, EOS], math.log(0.3))
    for diversity, expected in ((1.0, [a, b]), (0.5, [a])):
        found = chain([table]).search(diverse(2, 2, diversity))[0]
        assert [tokens for tokens, _ in found] == [tokens for tokens, _ in expected]
        assert [score for _, score in found] == pytest.approx([score for _, score in expected])


def test_a_batch_equals_its_sources_alone_and_done_ones_leave(chain, tables) -> None:
    several = [tables[name] for name in ("garden_path", "endless", "straight")]
    model = chain(several)
    together = model.search(diverse(4, 2, 0.5))
    for found, table in zip(together, several, strict=True):
        alone = chain([table]).search(diverse(4, 2, 0.5))[0]
        assert [tokens for tokens, _ in found] == [tokens for tokens, _ in alone]
    assert model.rows_seen[:2] == [3, 12]
    assert model.rows_seen[-1] < 12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((0, 1, 0.5), "`search.width` must be a whole number of at least 1, but is 0."),
        ((4, 0, 0.5), "`search.groups` must be a whole number of at least 1, but is 0."),
        ((4, 3, 0.5), "`search.groups` (3) must divide `search.width` (4); change one."),
        ((4, 2, -1), "`search.diversity` must be from 0 to 1000, but is -1."),
        (
            (4, 2, 0.5, "sum"),
            "`search.length_penalty` must be one of none, average, gnmt, but is 'sum'.",
        ),
    ],
)
def test_bad_options(options, message) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        diverse(*options)
