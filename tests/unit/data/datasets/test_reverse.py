"""Reversal: targets, sizes, no overlap."""

import pytest

from tandem.core.errors import InputError
from tandem.data.datasets import reverse


def test_targets_are_reversed_and_no_source_repeats() -> None:
    data = reverse(size=200, max_length=6, symbols=5, seed=0)
    assert [part.num_rows for part in data.values()] == [200, 20, 20]
    sources = [source for part in data.values() for source in part["source"]]
    assert len(set(sources)) == 240
    for part in data.values():
        for row in part:
            letters = row["source"].split(" ")
            assert 1 <= len(letters) <= 6
            assert set(letters) <= set("abcde")
            assert row["target"].split(" ") == letters[::-1]


def test_seed_decides() -> None:
    first, same, other = (
        reverse(size=20, max_length=6, symbols=5, seed=seed)["train"]["source"][:]
        for seed in (1, 1, 2)
    )
    assert first == same
    assert first != other


@pytest.mark.parametrize(
    ("size", "max_length", "symbols", "message"),
    [
        (
            9,
            5,
            5,
            "dataset.size (9) must be at least 10, as validation and test get a tenth of it.",
        ),
        (10, 5, 27, "dataset.symbols (27) must be between 1 and 26, one a letter."),
        (10, 0, 5, "dataset.max_length (0) must be at least 1."),
        (
            100,
            2,
            3,
            "dataset.symbols (3) and dataset.max_length (2) allow 12 different examples, but "
            "dataset.size (100) needs at least 240 to draw from; raise one of the first two or "
            "lower the size.",
        ),
    ],
)
def test_what_cannot_be_drawn(size: int, max_length: int, symbols: int, message: str) -> None:
    with pytest.raises(InputError) as caught:
        reverse(size=size, max_length=max_length, symbols=symbols, seed=0)
    assert str(caught.value) == message
