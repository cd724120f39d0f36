"""The interface of every metric."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tandem.core.directions import Direction
from tandem.core.errors import InputError


class Metric(ABC):
    """A corpus-level score of hypotheses against one or more references a row.

    It is a function of counts that are added up over the rows, so that a resampled corpus is
    scored without looking at a text again.

    Values are percentages: 41.0 means 41 %. Error rates can exceed 100.
    """

    directions: ClassVar[Mapping[str, Direction]]
    """For each score, by its name, whether less (``min``) or more (``max``) of it is better."""

    def __call__(self, hypotheses: list[str], references: list[list[str]]) -> dict[str, float]:
        """Score all rows together.

        :param hypotheses: one text a row.
        :param references: one or more acceptable texts a row; the number may differ by row.
        :return: each score by the name under which it is logged.
        """
        name = type(self).__name__
        if len(hypotheses) != len(references):
            raise InputError(
                f"{name} needs one list of references for each hypothesis, but got "
                f"{len(hypotheses)} hypotheses and {len(references)} lists of references; "
                "pass both in the same order and number."
            )
        if not hypotheses:
            raise InputError(
                f"{name} needs at least one hypothesis, but got 0; score a split that has rows."
            )
        for row, texts in enumerate(references):
            if not texts:
                raise InputError(
                    f"{name} needs at least one reference a row, but row {row} has 0; "
                    "give it a reference or leave the row out."
                )
        return self.scores(self.counts(hypotheses, references).sum(axis=0))

    @abstractmethod
    def counts(self, hypotheses: list[str], references: list[list[str]]) -> NDArray[np.float64]:
        """Count what the scores depend on: one line of numbers a row, (N, K)."""

    @abstractmethod
    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Each score by its name, from counts added up over a corpus, (K,)."""

    @property
    def splits_at_spaces(self) -> bool:
        """Whether it finds words only between spaces, which not every script has."""
        return False

    @property
    @abstractmethod
    def signature(self) -> str:
        """The library, its version and the settings that the numbers depend on."""


def directions_of(metric: Metric) -> dict[str, Direction]:
    """What a metric states of its scores.

    :raises InputError: if it states nothing.
    """
    directions = getattr(metric, "directions", None)
    if not directions:
        raise InputError(
            f"The metric {type(metric).__name__} must state whether less or more of each of its "
            'scores is better; give its class directions = {"name of a score": "max"}.'
        )
    return dict(directions)


def yes_no(value: bool) -> str:
    """Spell a switch the way sacreBLEU's signatures do."""
    return "yes" if value else "no"
