"""Sources side by side: ids with eos, vectors with zeros behind them."""

import numpy as np
import pytest
import torch

from tandem.data.columns import TextColumn, VectorColumn
from tandem.data.ragged import Ragged


def vectors(dtype) -> VectorColumn:
    values = np.arange(1, 13, dtype=dtype).reshape(6, 2)
    return VectorColumn(values, np.array([0, 1, 4, 6]), np.arange(3))


@pytest.mark.parametrize(
    ("before", "after", "batch"),
    [
        (None, 2, [[6, 7, 2], [5, 2, 0]]),
        (1, 2, [[1, 6, 7, 2], [1, 5, 2, 0]]),
        (1, None, [[1, 6, 7], [1, 5, 0]]),
        (None, None, [[6, 7], [5, 0]]),
    ],
)
def test_text_gets_special_symbols(before, after, batch) -> None:
    column = TextColumn(Ragged.from_lists([[9], [5], [6, 7]]), before=before, after=after)
    taken = column.take(np.array([2, 1]))
    assert taken.lengths.tolist() == [2, 1]
    assert taken.padded_lengths.tolist() == [len(batch[0]), len(batch[0]) - 1]
    ids, mask = taken.batch(np.array([0, 1]))
    assert ids.tolist() == batch
    assert mask.sum(1).tolist() == taken.padded_lengths.tolist()


@pytest.mark.parametrize(
    ("stored", "served"), [(np.uint8, torch.uint8), (np.float16, torch.float32)]
)
def test_vectors_are_padded_with_zeros(stored, served) -> None:
    column = vectors(stored)
    batch, mask = column.batch(np.array([2, 0, 1]))
    assert batch.tolist() == [
        [[9, 10], [11, 12], [0, 0]],
        [[1, 2], [0, 0], [0, 0]],
        [[3, 4], [5, 6], [7, 8]],
    ]
    assert mask.tolist() == [[True, True, False], [True, False, False], [True] * 3]
    assert batch.dtype == served
    assert column.lengths.tolist() == column.padded_lengths.tolist() == [1, 3, 2]


def test_taking_rows_copies_no_vectors() -> None:
    column = vectors(np.uint8)
    taken = column.take(np.array([2, 1])).take(np.array([1]))
    assert taken.values is column.values
    assert taken.lengths.tolist() == [3]
    assert taken.row(0).tolist() == [[3, 4], [5, 6], [7, 8]]
