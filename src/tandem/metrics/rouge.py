"""ROUGE-1, ROUGE-2 and ROUGE-L by rouge-score (Lin 2004)."""

from importlib.metadata import version
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from tandem.metrics.base import Metric, yes_no

TYPES = ("rouge1", "rouge2", "rougeL")


@final
class ROUGE(Metric):
    """Mean F-measure over rows; of several references the one that scores best, by type.

    Rouge-score keeps only Latin letters and digits, so text in other scripts scores 0.

    :param stemmer: compare Porter stems of words longer than three letters.
    """

    directions: ClassVar = dict.fromkeys(TYPES, "max")

    def __init__(self, *, stemmer: bool) -> None:
        from rouge_score.rouge_scorer import RougeScorer  # brings nltk, which others need not load

        self.stemmer = stemmer
        self._scorer = RougeScorer(list(TYPES), use_stemmer=stemmer)

    def counts(self, hypotheses: list[str], references: list[list[str]]) -> NDArray[np.float64]:
        """Return the F-measure of each type, and rows."""
        best = [
            self._scorer.score_multi(texts, hypothesis)
            for hypothesis, texts in zip(hypotheses, references, strict=True)
        ]
        return np.array([[*(row[name].fmeasure for name in TYPES), 1] for row in best])

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return ``{"rouge1": percent, "rouge2": percent, "rougeL": percent}``."""
        *totals, rows = sums.tolist()
        return {name: 100.0 * total / rows for name, total in zip(TYPES, totals, strict=True)}

    @property
    def signature(self) -> str:
        """The library's version and the settings."""
        return (
            f"rouge-score|f-measure|refs:best|stemmer:{yes_no(self.stemmer)}"
            f"|version:{version('rouge-score')}"
        )
