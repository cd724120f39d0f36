"""What every rule for outputs promises; Hugging Face calls such parts logits processors."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from tandem.search.vocabulary import Vocabulary


class Rule(ABC):
    """A logits processor that forbids some next symbols.

    It sets their scores to ``-inf`` and leaves all others, so that the score of an output stays the
    model's own.
    """

    last: ClassVar[bool] = False
    """Whether it asks what all other rules leave, and so is applied behind them."""

    @abstractmethod
    def __call__(self, scores: Tensor, history: Tensor) -> Tensor:
        """New scores (N, V) from scores (N, V) and what each row has written so far (N, t)."""

    def bind(self, vocabulary: Vocabulary) -> "Rule":
        """The same rule with ids for its texts.

        :raises InputError: if the vocabulary does not have what the rule names.
        """
        return self

    def check(self, others: "Sequence[Rule]", vocabulary_size: int) -> None:  # noqa: B027
        """Refuse other rules with which this one cannot be kept; all are bound.

        :raises InputError: in one sentence.
        """


def apply_rules(rules: Sequence[Rule], scores: Tensor, history: Tensor) -> Tensor:
    """Scores (N, V) after one rule and the next; history (N, t)."""
    for rule in rules:
        scores = rule(scores, history)
    return scores


def forbid(scores: Tensor, rows: Tensor, symbols: Tensor) -> Tensor:
    """The scores (N, V) with ``-inf`` for some symbols (R,) of some rows (R,)."""
    if not len(rows):
        return scores
    return scores.index_put((rows, symbols), scores.new_tensor(-torch.inf))
