"""Beam search on chains whose best paths are known."""

import math
import re

import pytest

from tandem.core.errors import InputError
from tandem.search import BeamSearch, GreedySearch

PAD, BOS, EOS, UNK, A, B, C = range(7)


def beam(width, length_penalty="none", alpha=1.0, stop="pool") -> BeamSearch:
    return BeamSearch(width=width, length_penalty=length_penalty, alpha=alpha, stop=stop)


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
    assert model.rows_seen == [2, 4, 2, 2, 2]  # one prefix a source at first


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


def test_stop_when_the_best_is_sure(chain) -> None:
    """Pool waits for its second place, and then finds a better first one."""
    table = {BOS: {A: 0.5, B: 0.5}, A: {EOS: 0.9, C: 0.1}, B: {B: 0.8, EOS: 0.2}}
    model, waiting = chain([table]), chain([table])
    close(model.search(beam(2, "average", stop="best"))[0], [([A, EOS], math.log(0.45) / 2)])
    assert len(model.rows_seen) == 2
    (best, *_) = waiting.search(beam(2, "average", stop="pool"))[0]
    assert best == ([B] * 6, pytest.approx(math.log(0.5 * 0.8**5) / 6))
    assert len(waiting.rows_seen) == 6


def test_stop_when_enough_have_ended(chain) -> None:
    """Pool goes on, as an open prefix is better than the worst that ended."""
    table = {BOS: {A: 0.6, EOS: 0.4}, A: {A: 0.55, EOS: 0.45}}
    model, waiting = chain([table]), chain([table])
    found = model.search(beam(2, "average", stop="full"))[0]
    close(found, [([A, EOS], math.log(0.27) / 2), ([EOS], math.log(0.4))])
    assert len(model.rows_seen) == 2
    (best, *_) = waiting.search(beam(2, "average", stop="pool"))[0]
    assert best == ([A] * 6, pytest.approx(math.log(0.6 * 0.55**5) / 6))


def test_stop_when_nothing_better_is_attainable(chain) -> None:
    """A loses while it is short; its mean can rise to log(0.45) / 6, the bound, but no further."""
    table = {BOS: {EOS: 0.5, A: 0.45, B: 0.05}, A: {A: 0.95, EOS: 0.05}}
    short, waiting = chain([table]), chain([table])
    close(short.search(beam(1, "average", stop="pool"))[0], [([EOS], math.log(0.5))])
    found = waiting.search(beam(1, "average", stop="attainable"))[0]
    close(found, [([A] * 6, math.log(0.45 * 0.95**5) / 6)])
    assert (len(short.rows_seen), len(waiting.rows_seen)) == (1, 6)
    hopeless = chain([{BOS: {EOS: 0.9, A: 0.1}, A: {A: 0.95, EOS: 0.05}}])
    hopeless.search(beam(1, "average", stop="attainable"))
    assert len(hopeless.rows_seen) == 1  # log(0.1) / 6 < log(0.9)


def test_attainable_with_a_penalty_that_favours_short_outputs(chain, tables) -> None:
    model = chain([tables["garden_path"]])
    found = model.search(beam(3, "average", -1.0, stop="attainable"))[0]
    close(found[:1], [([B, EOS], math.log(0.36) * 2)])


def test_without_a_penalty_pool_misses_nothing(chain, tables) -> None:
    for table in tables.values():
        found = [chain([table]).search(beam(2, stop=stop))[0] for stop in ("pool", "attainable")]
        assert found[0] == found[1]


def test_what_is_impossible_gives_an_empty_output(chain) -> None:
    model = chain([{BOS: {A: 1.0}}], normalized=True)
    model.logits[:] = -math.inf
    assert model.search(beam(2))[0] == [([EOS], -math.inf)]


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


def test_normalized_scores_are_summed_as_they_are(chain) -> None:
    table = {BOS: {A: 0.5, EOS: 0.25}, A: {EOS: 0.5}}  # rows that sum to less than 1
    found = chain([table], normalized=True).search(beam(2))[0]
    close(found, [([EOS], math.log(0.25)), ([A, EOS], math.log(0.25))])
    logits = chain([table]).search(beam(2))[0]
    close(logits, [([A, EOS], math.log(2 / 3)), ([EOS], math.log(1 / 3))])


def test_impossible_symbols_are_no_hypotheses(chain) -> None:
    model = chain([{BOS: {EOS: 0.5, A: 0.5}, A: {EOS: 1.0}}], normalized=True)
    model.logits[model.logits < -1e8] = -math.inf
    close(model.search(beam(5))[0], [([EOS], math.log(0.5)), ([A, EOS], math.log(0.5))])


def test_bad_options() -> None:
    for width in (0, 2.5, "3"):
        message = f"`search.width` must be a whole number of at least 1, but is {width!r}."
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            beam(width)
    message = "`search.length_penalty` must be one of none, average, gnmt, but is 'sum'."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        beam(2, "sum")
    message = "`search.alpha` must be from -10 to 10, but is nan."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        beam(2, "gnmt", math.nan)
    message = "`search.stop` must be one of best, full, pool, attainable, but is 'never'."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        beam(2, stop="never")
