"""Phoneme error rate by jiwer."""

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from tandem.metrics._jiwer import error_rate, errors_and_units, flatten, signature
from tandem.metrics.base import Metric


@final
class PER(Metric):
    """Wrong, missing and added phonemes per reference phoneme over the corpus; lower is better.

    Phonemes stand with spaces between them, as they do in pronunciation dictionaries.
    """

    directions: ClassVar = {"per": "min"}

    def counts(self, hypotheses: list[str], references: list[list[str]]) -> NDArray[np.float64]:
        """Return errors and reference units."""
        from jiwer import process_words

        pairs = flatten(hypotheses, references, "none")
        return errors_and_units(process_words(*pairs), references)

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return ``{"per": percent}``."""
        return {"per": error_rate(sums)}

    @property
    def splits_at_spaces(self) -> bool:
        """It does."""
        return True

    @property
    def signature(self) -> str:
        """The library's version and the settings."""
        return signature("per", "none", spaces="merged")
