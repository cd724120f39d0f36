"""Reversal: a toy task that any working model learns in a minute."""

import random
import string

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import from_pairs


def reverse(*, size: int, max_length: int, symbols: int, seed: int) -> DatasetDict:
    """Generate random letters as source and the same letters backwards as target.

    No source occurs twice, in one split or in two.

    :param size: how many training examples; validation and test have a tenth each.
    :param max_length: the most letters an example has; lengths are drawn evenly from 1 on.
    :param symbols: how many different letters there are.
    :param seed: what the examples are drawn from.
    """
    if size < 10:
        raise InputError(
            f"dataset.size ({size}) must be at least 10, as validation and test get a tenth of it."
        )
    if not 1 <= symbols <= len(string.ascii_lowercase):
        raise InputError(f"dataset.symbols ({symbols}) must be between 1 and 26, one a letter.")
    if max_length < 1:
        raise InputError(f"dataset.max_length ({max_length}) must be at least 1.")
    held_out = size // 10
    total = size + 2 * held_out
    possible = sum(symbols**length for length in range(1, max_length + 1))
    if possible < 2 * total:
        raise InputError(
            f"dataset.symbols ({symbols}) and dataset.max_length ({max_length}) allow {possible} "
            f"different examples, but dataset.size ({size}) needs at least {2 * total} to draw "
            "from; raise one of the first two or lower the size."
        )
    pairs = _draw(total, max_length, string.ascii_lowercase[:symbols], random.Random(seed))
    return from_pairs(
        {
            "train": pairs[:size],
            "validation": pairs[size : size + held_out],
            "test": pairs[size + held_out :],
        }
    )


def _draw(
    total: int, max_length: int, letters: str, generator: random.Random
) -> list[tuple[str, str]]:
    """Return so many different pairs."""
    sources: dict[str, None] = {}
    while len(sources) < total:
        length = generator.randint(1, max_length)
        sources[" ".join(generator.choices(letters, k=length))] = None
    return [(source, source[::-1]) for source in sources]
