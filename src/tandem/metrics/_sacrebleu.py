"""What the three metrics of sacreBLEU have in common."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_KEPT = 500_000
"""Characters of references whose n-grams are kept, which take up to 400 bytes for each."""


def transpose(references: list[list[str]]) -> Any:
    """Turn lists by row into sacreBLEU's streams: the n-th reference of every row together.

    Rows with fewer references than others have None in the later streams, which sacreBLEU
    allows but its types do not.
    """
    width = max(len(texts) for texts in references)
    return [[texts[i] if i < len(texts) else None for texts in references] for i in range(width)]


class CorpusScorer:
    """One of sacreBLEU's metrics, which counts the n-grams of references once.

    The validations of a run score against the same references: as long as they stay the same, and
    are few enough, what the metric has found in them is kept.

    :param metric: sacreBLEU's.
    """

    def __init__(self, metric: Any) -> None:
        self.metric = metric
        self._references: list[list[str]] | None = None
        """Those whose n-grams the metric keeps."""

    def statistics(self, hypotheses: list[str], references: list[list[str]]) -> NDArray[np.float64]:
        """Return what sacreBLEU adds up before it scores a corpus, one line a row."""
        if references != self._references:
            self._references = self.metric._ref_cache = None
            if sum(len(text) for texts in references for text in texts) > MOST_KEPT:
                rows = self.metric._extract_corpus_statistics(hypotheses, transpose(references))
                return np.array(rows, dtype=np.float64)
            self.metric._ref_cache = self.metric._cache_references(transpose(references))
            self._references = [list(texts) for texts in references]
        rows = self.metric._extract_corpus_statistics(hypotheses, None)
        return np.array(rows, dtype=np.float64)

    def score(self, sums: NDArray[np.float64]) -> float:
        """Return the score of statistics that are added up."""
        return float(self.metric._compute_score_from_stats(sums.tolist()).score)

    def signature(self) -> str:
        """SacreBLEU's signature, before the first scoring without the number of references."""
        prefix = type(self.metric).__name__.lower()
        if not hasattr(self.metric, "num_refs"):
            placeholder = self.metric._SIGNATURE_TYPE({**vars(self.metric), "num_refs": None})
            return f"sacrebleu.{prefix}|{placeholder.format()}"
        return f"sacrebleu.{prefix}|{self.metric.get_signature().format()}"
