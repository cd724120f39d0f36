"""Translation edit rate by sacreBLEU (Snover et al. 2006)."""

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from tandem.metrics._sacrebleu import CorpusScorer
from tandem.metrics.base import Metric


@final
class TER(Metric):
    """Edits, shifts of phrases included, per reference word; lower is better.

    :param case_sensitive: let a difference of case count as an edit.
    :param normalized: split punctuation off words first, as Tercom's option does.
    """

    directions: ClassVar = {"ter": "min"}

    def __init__(self, *, case_sensitive: bool, normalized: bool) -> None:
        from sacrebleu.metrics.ter import TER as SacreTER

        metric = SacreTER(case_sensitive=case_sensitive, normalized=normalized)
        self._scorer = CorpusScorer(metric)

    def counts(self, hypotheses: list[str], references: list[list[str]]) -> NDArray[np.float64]:
        """Return sacreBLEU's own statistics."""
        return self._scorer.statistics(hypotheses, references)

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return ``{"ter": percent}``."""
        return {"ter": self._scorer.score(sums)}

    @property
    def splits_at_spaces(self) -> bool:
        """It does."""
        return True

    @property
    def signature(self) -> str:
        """SacreBLEU's signature."""
        return self._scorer.signature()
