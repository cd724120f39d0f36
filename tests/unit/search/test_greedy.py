"""Greedy search on a chain."""

import math

import pytest

from tandem.search import GreedySearch

PAD, BOS, EOS, UNK, A, B, C = range(7)
GREEDY = GreedySearch()


def test_takes_the_best_symbol_at_each_step(chain, tables) -> None:
    ((tokens, score),) = chain([tables["garden_path"]]).search(GREEDY)[0]
    assert tokens == [A, EOS]
    assert score == pytest.approx(math.log(0.6 * 0.3))


def test_finished_sources_leave_the_batch(chain, tables) -> None:
    model = chain([tables["straight"], tables["endless"], tables["straight"]])
    found = model.search(GREEDY, max_length=5)
    assert [tokens for ((tokens, _),) in found] == [[C, EOS], [A] * 5, [C, EOS]]
    assert model.rows_seen == [3, 3, 1, 1, 1]


def test_max_length_cuts(chain, tables) -> None:
    ((tokens, score),) = chain([tables["endless"]]).search(GREEDY, max_length=3)[0]
    assert tokens == [A, A, A]
    assert score == pytest.approx(math.log(0.9 * 0.9))


def test_the_first_of_equals_wins(chain) -> None:
    model = chain([{BOS: {A: 0.5, B: 0.5}, A: {EOS: 1.0}, B: {EOS: 1.0}}])
    assert [model.search(GREEDY)[0][0][0] for _ in range(3)] == [[A, EOS]] * 3


def test_normalized_scores_are_summed_as_they_are(chain) -> None:
    table = {BOS: {A: 0.5, EOS: 0.25}, A: {EOS: 0.5}}
    ((tokens, score),) = chain([table], normalized=True).search(GREEDY)[0]
    assert tokens == [A, EOS]
    assert score == pytest.approx(math.log(0.25))


def test_an_output_ends_where_nothing_may_come(chain) -> None:
    model = chain([{BOS: {A: 1.0}}], normalized=True)
    model.logits[:, A] = -math.inf
    assert model.search(GREEDY)[0] == [([A, EOS], -math.inf)]
