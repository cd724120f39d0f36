"""ROUGE-1, ROUGE-2 and ROUGE-L by rouge-score (Lin 2004)."""

from importlib.metadata import version
from typing import final

from rouge_score.rouge_scorer import RougeScorer

from tandem.metrics.base import Metric, yes_no

TYPES = ("rouge1", "rouge2", "rougeL")


@final
class ROUGE(Metric):
    """Mean F-measure over rows; of several references the one that scores best, by type.

    Rouge-score keeps only Latin letters and digits, so text in other scripts scores 0.

    :param stemmer: compare Porter stems of words longer than three letters.
    """

    def __init__(self, *, stemmer: bool) -> None:
        self.stemmer = stemmer
        self._scorer = RougeScorer(list(TYPES), use_stemmer=stemmer)

    def score(self, hypotheses: list[str], references: list[list[str]]) -> dict[str, float]:
        """Return ``{"rouge1": percent, "rouge2": percent, "rougeL": percent}``."""
        sums = dict.fromkeys(TYPES, 0.0)
        for hypothesis, texts in zip(hypotheses, references, strict=True):
            best = self._scorer.score_multi(texts, hypothesis)
            for name in TYPES:
                sums[name] += best[name].fmeasure
        return {name: 100.0 * total / len(hypotheses) for name, total in sums.items()}

    @property
    def signature(self) -> str:
        """The library's version and the settings."""
        return (
            f"rouge-score|f-measure|refs:best|stemmer:{yes_no(self.stemmer)}"
            f"|version:{version('rouge-score')}"
        )
