"""Outputs with a given beginning: prefix-constrained decoding."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.search.rules.base import Rule
from tandem.search.vocabulary import Vocabulary, bound, checked_sequence, ids_of

KEY = "rule.forced_prefix.prefix"


class ForcedPrefix(Rule):
    """Every output begins with this.

    :param prefix: a text, or a list of ids of target symbols.
    """

    def __init__(self, *, prefix: Sequence[int] | str) -> None:
        self.prefix = checked_sequence(KEY, prefix)

    def __call__(self, scores: Tensor, history: Tensor) -> Tensor:
        """Forbid all but the prefix's next id."""
        (prefix,) = bound([self.prefix])
        return only_next(prefix, scores, history)

    def bind(self, vocabulary: Vocabulary) -> "ForcedPrefix":
        """See :class:`Rule`."""
        return ForcedPrefix(prefix=ids_of(KEY, self.prefix, vocabulary))

    def check(self, others: Sequence[Rule], vocabulary_size: int) -> None:
        """Refuse a prefix that another rule forbids."""
        (prefix,) = bound([self.prefix])
        check_allowed(KEY, prefix, others, vocabulary_size)


def only_next(prefix: list[int], scores: Tensor, history: Tensor) -> Tensor:
    """Scores (N, V) with ``-inf`` for all but the prefix's next id, given the history (N, t)."""
    if history.size(1) >= len(prefix):
        return scores
    symbol = prefix[history.size(1)]
    forced = torch.full_like(scores, -torch.inf)
    forced[:, symbol] = scores[:, symbol]
    return forced


def check_allowed(key: str, prefix: list[int], rules: Sequence[Rule], vocabulary_size: int) -> None:
    """Refuse a prefix that a rule forbids.

    :param key: where the prefix is given.
    :raises InputError: in one sentence.
    """
    for place, symbol in enumerate(prefix):
        history = torch.tensor([prefix[:place]], dtype=torch.long)
        scores = torch.zeros(1, vocabulary_size, dtype=torch.float32)
        for rule in rules:
            if rule(scores, history)[0, symbol] < 0:
                raise InputError(
                    f"`{key}` ({prefix}) must keep the other rules, but its symbol "
                    f"{place + 1} is forbidden by {type(rule).__name__}; change one of them."
                )
