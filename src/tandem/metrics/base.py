"""What every metric looks like from outside."""

from abc import ABC, abstractmethod

from tandem.core.errors import InputError


class Metric(ABC):
    """A corpus-level score of hypotheses against one or more references a row.

    Values are percentages: 41.0 means 41 %. Error rates can exceed 100.
    """

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
        return self.score(hypotheses, references)

    @abstractmethod
    def score(self, hypotheses: list[str], references: list[list[str]]) -> dict[str, float]:
        """Compute the scores of input that ``__call__`` has checked."""

    @property
    @abstractmethod
    def signature(self) -> str:
        """The library, its version and the settings that the numbers depend on."""


def yes_no(value: bool) -> str:
    """Spell a switch the way sacreBLEU's signatures do."""
    return "yes" if value else "no"
