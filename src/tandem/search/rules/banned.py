"""Words that no output contains."""

from collections.abc import Sequence
from functools import cached_property
from itertools import groupby

import torch
from torch import Tensor

from tandem.search.rules.base import Rule, forbid
from tandem.search.vocabulary import Vocabulary, bound, checked_sequences, ids_of

KEY = "rule.banned.sequences"


class Banned(Rule):
    """No output contains one of these sequences.

    :param sequences: texts, or lists of ids of target symbols.
    """

    def __init__(self, *, sequences: Sequence[Sequence[int] | str]) -> None:
        self.sequences = checked_sequences(KEY, sequences)

    @cached_property
    def tables(self) -> list[Tensor]:
        """(W, m) the sequences of each length m, the shortest first."""
        by_length = groupby(sorted(bound(self.sequences), key=len), key=len)
        return [torch.tensor(list(sequences)) for _, sequences in by_length]

    def __call__(self, scores: Tensor, history: Tensor) -> Tensor:
        """Forbid what would end a sequence."""
        for table in self.tables:
            sequences, before = table.to(history.device), table.size(1) - 1
            if history.size(1) < before:
                break
            last = history[:, history.size(1) - before :]  # (N, m - 1)
            begun = (last.unsqueeze(1) == sequences[:, :-1]).all(2)  # (N, W)
            rows, which = begun.nonzero(as_tuple=True)
            scores = forbid(scores, rows, sequences[which, -1])
        return scores

    def bind(self, vocabulary: Vocabulary) -> "Banned":
        """See :class:`Rule`."""
        return Banned(sequences=[ids_of(KEY, one, vocabulary) for one in self.sequences])
