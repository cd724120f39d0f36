"""Beam search on chains whose best paths are known."""

import math
import re

import pytest

from tandem.core.errors import InputError
from tandem.search import BeamSearch, GreedySearch

PAD, BOS, EOS, UNK, A, B, C = range(7)


def beam(width: int, length_penalty: str = "none", alpha: float = 1.0) -> BeamSearch:
    return BeamSearch(width=width, length_penalty=length_penalty, alpha=alpha)


def close(found, expected) -> None:
    assert [tokens for tokens, _ in found] == [tokens for tokens, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected])


def test_finds_the_path_that_greedy_misses_and_ranks_the_others(chain, tables) -> None:
    found = chain([tables["garden_path"]]).search(beam(3))[0]
    expected = [
        ([B, EOS], math.log(0.4 * 0.9)),
        ([A, EOS], math.log(0.6 * 0.3)),
        ([A, B, EOS], math.log(0.6 * 0.25 * 0.9)),
    ]
    close(found, expected)


def test_width_one_equals_greedy(chain, tables) -> None:
    for name in tables:
        ((tokens, score),) = chain([tables[name]]).search(beam(1))[0]
        ((greedy_tokens, greedy_score),) = chain([tables[name]]).search(GreedySearch())[0]
        assert (tokens, score) == (greedy_tokens, pytest.approx(greedy_score))


def test_average_prefers_longer_outputs(chain) -> None:
    table = {BOS: {A: 0.55, B: 0.45}, A: {EOS: 0.5, C: 0.5}, B: {C: 1.0}, C: {EOS: 1.0}}
    found = chain([table]).search(beam(3, "average"))[0]
    long, middle, short = math.log(0.45) / 3, math.log(0.275) / 3, math.log(0.275) / 2
    close(found, [([B, C, EOS], long), ([A, C, EOS], middle), ([A, EOS], short)])


def test_penalties_by_hand() -> None:
    assert beam(1, "none", 0.6).penalty(7) == 1
    assert beam(1, "average", 1.0).penalty(7) == 7
    assert beam(1, "average", 0.5).penalty(9) == pytest.approx(3)
    assert beam(1, "average", 0.0).penalty(9) == 1
    assert beam(1, "gnmt", 1.0).penalty(1) == pytest.approx(1)
    assert beam(1, "gnmt", 1.0).penalty(7) == pytest.approx(2)
    assert beam(1, "gnmt", 0.6).penalty(10) == pytest.approx(2.5**0.6)


def test_a_batch_equals_its_sources_alone(chain, tables) -> None:
    several = [tables[name] for name in ("garden_path", "endless", "straight")]
    for method in (beam(2), beam(4, "gnmt", 0.6)):
        together = chain(several).search(method)
        for found, table in zip(together, several, strict=True):
            close(found, chain([table]).search(method)[0])


def test_finished_sources_leave_the_batch(chain, tables) -> None:
    model = chain([tables["straight"], tables["endless"]])
    found = model.search(beam(2), max_length=5)
    close(found[0], [([C, EOS], math.log(0.8)), ([EOS], math.log(0.2))])
    assert model.rows_seen == [4, 4, 2, 2, 2]


def test_max_length_cuts_and_cut_hypotheses_count(chain, tables) -> None:
    found = chain([tables["endless"]]).search(beam(2), max_length=3)[0]
    close(found, [([A, A, A], math.log(0.81)), ([A, EOS], math.log(0.1))])


def test_max_length_one(chain, tables) -> None:
    found = chain([tables["straight"]]).search(beam(2), max_length=1)[0]
    close(found, [([C], math.log(0.8)), ([EOS], math.log(0.2))])


def test_search_goes_on_while_an_open_prefix_can_still_win(chain) -> None:
    table = {BOS: {EOS: 0.3, A: 0.7}, A: {A: 0.9, EOS: 0.1}}
    found = chain([table]).search(beam(1), max_length=4)[0]
    close(found, [([A, A, A, A], math.log(0.7 * 0.9**3))])


def test_a_beam_wider_than_the_vocabulary(chain, tables) -> None:
    found = chain([tables["straight"]]).search(beam(20))[0]
    close(found[:2], [([C, EOS], math.log(0.8)), ([EOS], math.log(0.2))])


def test_ties_are_broken_in_the_same_way_each_time(chain) -> None:
    table = {BOS: {A: 0.25, B: 0.25, C: 0.25, UNK: 0.25}} | {
        symbol: {EOS: 1.0} for symbol in (A, B, C, UNK)
    }
    runs = [chain([table, table]).search(beam(3)) for _ in range(3)]
    assert runs[0] == runs[1] == runs[2]
    assert [score for _, score in runs[0][0]] == pytest.approx([math.log(0.25)] * 3)


def test_bad_options() -> None:
    with pytest.raises(InputError, match=r"^`search.width` must be at least 1, but is 0\.$"):
        beam(0)
    message = "`search.length_penalty` must be one of none, average, gnmt, but is 'sum'."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        beam(2, "sum")
