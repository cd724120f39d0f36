"""Phoneme error rate by jiwer."""

from typing import final

from jiwer import process_words

from tandem.metrics._jiwer import error_rate, flatten, signature
from tandem.metrics.base import Metric


@final
class PER(Metric):
    """Wrong, missing and added phonemes per reference phoneme over the corpus; lower is better.

    Phonemes stand with spaces between them, as they do in pronunciation dictionaries.
    """

    def score(self, hypotheses: list[str], references: list[list[str]]) -> dict[str, float]:
        """Return ``{"per": percent}``."""
        pairs = flatten(hypotheses, references, "none")
        return {"per": error_rate(process_words(*pairs), [len(texts) for texts in references])}

    @property
    def signature(self) -> str:
        """The library's version and the settings."""
        return signature("per", "none")
