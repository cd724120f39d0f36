"""How long training lasts on sets of any size."""

import math

import pytest

from tandem.training.length import epochs_between_validations, epochs_of_training


@pytest.mark.parametrize(
    ("steps", "epochs", "interval"),
    [  # an epoch's steps, the whole length, from one validation to the next
        (1, 3000, 100),
        (7, 435, 15),
        (10, 300, 10),
        (50, 60, 2),
        (103, 30, 1),
        (1000, 20, 1),
        (100_000, 20, 1),
    ],
)
def test_length_by_the_steps_of_an_epoch(steps: int, epochs: int, interval: int) -> None:
    assert epochs_of_training(steps) == epochs
    assert epochs_between_validations(steps, epochs=epochs) == interval
    assert epochs % interval == 0


@pytest.mark.parametrize(
    ("epochs", "interval"), [(1, 1), (12, 1), (25, 2), (100, 10), (1000, 10), (math.inf, 10)]
)
def test_a_short_training_is_validated_ten_times(epochs: float, interval: int) -> None:
    assert epochs_between_validations(10, epochs=epochs) == interval
