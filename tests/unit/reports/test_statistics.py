"""Intervals and significance against what theory says of simple cases."""

import numpy as np
import pytest

from tandem.metrics import ExactMatch
from tandem.reports.statistics import RESAMPLES, as_extreme, draws, interval, resample


def hits(right: list[bool]) -> np.ndarray:
    return np.array([(hit, 1) for hit in right], dtype=float)


def exact_match(right: list[bool]) -> np.ndarray:
    return resample(hits(right), ExactMatch(lowercase=False).scores)["exact_match"]


def test_each_resample_draws_as_many_rows_as_there_are() -> None:
    assert draws(7).shape == (RESAMPLES, 7)
    assert (draws(7).sum(axis=1) == 7).all()
    np.testing.assert_array_equal(draws(7), draws.__wrapped__(7))


def test_the_interval_of_a_share() -> None:
    # 80 of 100 rows: a resample's hits are binomial with a deviation of sqrt(100 * 0.8 * 0.2) = 4,
    # of which 1.96 go to each side; within one row, as shares of 100 rows are whole.
    low, high = interval(exact_match([True] * 80 + [False] * 20))
    assert low == pytest.approx(80 - 1.96 * 4, abs=1)
    assert high == pytest.approx(80 + 1.96 * 4, abs=1)


def test_rows_that_agree_leave_no_doubt() -> None:
    assert interval(exact_match([True] * 10)) == (100, 100)


def p_value(first: list[bool], second: list[bool]) -> float:
    scores = np.array([100 * np.mean(first), 100 * np.mean(second)])
    counts = as_extreme(scores, np.stack([exact_match(first), exact_match(second)]))
    assert counts[0, 1] == counts[1, 0]
    return (counts[0, 1] + 1) / (RESAMPLES + 1)


def test_a_difference_on_the_same_rows_is_detected() -> None:
    # The second run is right wherever the first is, and on 10 more rows: the difference of 10 has
    # a deviation of sqrt(100 * 0.1 * 0.9) = 3, so it lies 3.3 deviations from zero: p = 0.001.
    assert p_value([True] * 50 + [False] * 50, [True] * 60 + [False] * 40) < 0.01


def test_a_difference_that_rows_explain_is_not_detected() -> None:
    # The same scores from other rows: right on 30 rows that the other misses, which is right on 20
    # of its own: 10 with a deviation of sqrt(50 - 1) = 7, so 1.4 deviations: p = 0.15.
    first = [True] * 20 + [False] * 30 + [True] * 30 + [False] * 20
    second = [False] * 20 + [True] * 30 + [True] * 30 + [False] * 20
    assert 0.08 < p_value(first, second) < 0.25


def test_no_difference_at_all() -> None:
    assert p_value([True, False] * 10, [True, False] * 10) == 1
