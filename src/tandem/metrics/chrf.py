"""chrF and chrF++ by sacreBLEU (Popovic 2015, 2017)."""

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from tandem.metrics._sacrebleu import CorpusScorer
from tandem.metrics.base import Metric


@final
class ChrF(Metric):
    """F-score of character n-grams, for languages in which words are a poor unit.

    :param char_order: longest character n-gram.
    :param word_order: longest word n-gram; 0 is chrF, 2 is chrF++.
    :param beta: how much more recall counts than precision.
    :param lowercase: score without regard to case.
    """

    directions: ClassVar = {"chrf": "max"}

    def __init__(self, *, char_order: int, word_order: int, beta: int, lowercase: bool) -> None:
        from sacrebleu.metrics.chrf import CHRF as SacreCHRF

        metric = SacreCHRF(
            char_order=char_order, word_order=word_order, beta=beta, lowercase=lowercase
        )
        self._scorer = CorpusScorer(metric)

    def counts(self, hypotheses: list[str], references: list[list[str]]) -> NDArray[np.float64]:
        """Return sacreBLEU's own statistics."""
        return self._scorer.statistics(hypotheses, references)

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return ``{"chrf": percent}``."""
        return {"chrf": self._scorer.score(sums)}

    @property
    def signature(self) -> str:
        """SacreBLEU's signature."""
        return self._scorer.signature()
