"""Exact match: the share of outputs that equal a reference."""

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from tandem.metrics.base import Metric, yes_no


@final
class ExactMatch(Metric):
    """Counts a row when its hypothesis equals any of its references, spaces around them aside.

    :param lowercase: compare without regard to case.
    """

    directions: ClassVar = {"exact_match": "max"}

    def __init__(self, *, lowercase: bool) -> None:
        self.lowercase = lowercase

    def counts(self, hypotheses: list[str], references: list[list[str]]) -> NDArray[np.float64]:
        """Return hits and rows."""
        hits = [
            self._normalize(hypothesis) in {self._normalize(text) for text in texts}
            for hypothesis, texts in zip(hypotheses, references, strict=True)
        ]
        return np.array([(hit, 1) for hit in hits], dtype=np.float64)

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return ``{"exact_match": percent}``."""
        hits, rows = sums.tolist()
        return {"exact_match": 100.0 * hits / rows}

    @property
    def signature(self) -> str:
        """The one setting; there is no library behind this metric."""
        return f"exact_match|refs:any|lowercase:{yes_no(self.lowercase)}|strip:yes"

    def _normalize(self, text: str) -> str:
        text = text.strip()
        return text.lower() if self.lowercase else text
