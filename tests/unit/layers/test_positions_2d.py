"""Positions on a grid against their formulas."""

import math
import re

import pytest
import torch

from tandem.core.errors import InputError
from tandem.layers.positions_2d import LearnedPositions2d, added_positions_2d


def test_sinusoidal_equals_the_formula() -> None:
    added = added_positions_2d("sinusoidal", 8, 3, 2)(torch.zeros(1, 3, 2, 8).double())
    for row in range(3):
        for column in range(2):
            for start, place in ((0, row), (4, column)):
                for i in range(2):
                    angle = place / 10000 ** (2 * i / 4)
                    wave = added[0, row, column, start + i].item()
                    assert wave == pytest.approx(math.sin(angle), abs=1e-12)
                    wave = added[0, row, column, start + 2 + i].item()
                    assert wave == pytest.approx(math.cos(angle), abs=1e-12)


def test_learned_adds_one_vector_an_axis() -> None:
    positions = LearnedPositions2d(3, rows=4, columns=2)
    inputs = torch.randn(2, 3, 2, 3)
    added = positions(inputs) - inputs
    expected = positions.rows.weight[2] + positions.columns.weight[1]
    torch.testing.assert_close(added[1, 2, 1], expected)


def test_learned_says_what_is_too_high() -> None:
    message = (
        "A grid of 5 rows is higher than the 4 rows of the learned positions; use pictures of "
        "`frontend.image_height`, or train with frontend.positions=sinusoidal."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        LearnedPositions2d(3, rows=4, columns=2)(torch.zeros(1, 5, 2, 3))


def test_none_adds_nothing() -> None:
    inputs = torch.randn(1, 2, 2, 3)
    assert added_positions_2d("none", 3, 2, 2)(inputs) is inputs
