"""What the three metrics of sacreBLEU have in common."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def transpose(references: list[list[str]]) -> Any:
    """Turn lists by row into sacreBLEU's streams: the n-th reference of every row together.

    Rows with fewer references than others have None in the later streams, which sacreBLEU
    allows but its types do not.
    """
    width = max(len(texts) for texts in references)
    return [[texts[i] if i < len(texts) else None for texts in references] for i in range(width)]


def statistics(
    scorer: Any, hypotheses: list[str], references: list[list[str]]
) -> NDArray[np.float64]:
    """Return what sacreBLEU adds up before it scores a corpus, one line a row."""
    return np.array(
        scorer._extract_corpus_statistics(hypotheses, transpose(references)), dtype=np.float64
    )


def score(scorer: Any, sums: NDArray[np.float64]) -> float:
    """Return the score of statistics that are added up."""
    return float(scorer._compute_score_from_stats(sums.tolist()).score)


def signature(scorer: Any) -> str:
    """Return sacreBLEU's signature, before the first scoring without the number of references."""
    prefix = type(scorer).__name__.lower()
    if not hasattr(scorer, "num_refs"):
        placeholder = scorer._SIGNATURE_TYPE({**vars(scorer), "num_refs": None})
        return f"sacrebleu.{prefix}|{placeholder.format()}"
    return f"sacrebleu.{prefix}|{scorer.get_signature().format()}"
