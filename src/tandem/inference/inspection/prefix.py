"""Outputs that must begin as somebody chose, symbol by symbol."""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.types import FIRST_OUTPUT, SPECIAL_IDS
from tandem.inference.decoding import Decoding
from tandem.search.rules import Rule
from tandem.search.rules.forced_prefix import check_allowed, only_next


class ChosenPrefix(Rule):
    """Every output begins with these ids, of which the last may be ``eos``.

    :param prefix: ids of target symbols, at least one.
    """

    def __init__(self, prefix: list[int]) -> None:
        self.prefix = prefix

    def __call__(self, scores: Tensor, history: Tensor) -> Tensor:
        """Forbid all but the prefix's next id."""
        return only_next(self.prefix, scores, history)


def with_prefix(
    decoding: Decoding, prefix: Sequence[int], *, vocabulary_size: int, max_length: int
) -> Decoding:
    """The same decoding with a beginning that is given.

    :param decoding: bound, if it holds texts.
    :raises InputError: if no output can begin so.
    """
    if not prefix:
        return decoding
    ids = _checked(prefix, vocabulary_size, max_length)
    check_allowed("prefix", ids, decoding.rules, vocabulary_size)
    return replace(decoding, rules=(*decoding.rules, ChosenPrefix(ids)))


def _checked(prefix: Sequence[int], vocabulary_size: int, max_length: int) -> list[int]:
    if not isinstance(prefix, Sequence) or not all(
        type(id_) is int and FIRST_OUTPUT <= id_ < vocabulary_size for id_ in prefix
    ):
        raise InputError(
            f"`prefix` must be a list of ids of target symbols, from {FIRST_OUTPUT} to "
            f"{vocabulary_size - 1}, but is {prefix!r}; take them from an output's ids."
        )
    if SPECIAL_IDS.eos in prefix[:-1]:
        raise InputError(
            f"`prefix` must end at its first {SPECIAL_IDS.eos} (eos), but is {list(prefix)}; leave "
            "out what follows."
        )
    if len(prefix) > max_length:
        raise InputError(
            f"`prefix` has {len(prefix)} symbols, but an output has at most {max_length}; shorten "
            "it."
        )
    return list(prefix)
