"""Rows of different lengths in two flat arrays."""

import numpy as np

from tandem.data.ragged import ROWS_AT_ONCE, Ragged

ROWS = [[5, 6, 7], [8], [], [9, 5]]
RAGGED = Ragged.from_lists(ROWS)


def all_rows(ragged: Ragged) -> list[list[int]]:
    return [ragged.row(index) for index in range(len(ragged))]


def test_rows_and_lengths() -> None:
    assert all_rows(RAGGED) == ROWS
    assert RAGGED.lengths.tolist() == [3, 1, 0, 2]
    assert RAGGED.values.dtype == np.int32


def test_nothing() -> None:
    empty = Ragged.from_lists([])
    assert len(empty) == 0
    assert empty.lengths.tolist() == []


def test_take() -> None:
    assert all_rows(RAGGED.take(np.array([3, 0, 3]))) == [[9, 5], [5, 6, 7], [9, 5]]
    assert all_rows(RAGGED.take(np.array([], dtype=np.int64))) == []
    many = np.resize([3, 0, 2, 1], 2 * ROWS_AT_ONCE + 3)
    assert all_rows(RAGGED.take(many)) == [ROWS[row] for row in many]


def test_padded_with_an_id_behind() -> None:
    ids, mask = RAGGED.padded(np.array([1, 0, 2]), before=None, after=2, pad=0)
    assert ids.tolist() == [[8, 2, 0, 0], [5, 6, 7, 2], [2, 0, 0, 0]]
    assert mask.tolist() == [[True, True, False, False], [True] * 4, [True, False, False, False]]


def test_padded_with_an_id_in_front() -> None:
    ids, mask = RAGGED.padded(np.array([3, 2]), before=1, after=None, pad=0)
    assert ids.tolist() == [[1, 9, 5], [1, 0, 0]]
    assert mask.tolist() == [[True, True, True], [True, False, False]]


def test_padded_with_both_and_with_neither() -> None:
    ids, _ = RAGGED.padded(np.array([1, 3]), before=1, after=2, pad=0)
    assert ids.tolist() == [[1, 8, 2, 0], [1, 9, 5, 2]]
    ids, mask = RAGGED.padded(np.array([0, 1]), before=None, after=None, pad=4)
    assert ids.tolist() == [[5, 6, 7], [8, 4, 4]]
    assert mask.tolist() == [[True, True, True], [True, False, False]]
