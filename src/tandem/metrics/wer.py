"""Word error rate by jiwer."""

from typing import final

from jiwer import process_words

from tandem.metrics._jiwer import error_rate, flatten, signature
from tandem.metrics.base import Metric


@final
class WER(Metric):
    """Wrong, missing and added words per reference word over the corpus; lower is better.

    :param lowercase: compare without regard to case.
    """

    def __init__(self, *, lowercase: bool) -> None:
        self.lowercase = lowercase

    def score(self, hypotheses: list[str], references: list[list[str]]) -> dict[str, float]:
        """Return ``{"wer": percent}``."""
        pairs = flatten(hypotheses, references, self.lowercase)
        return {"wer": error_rate(process_words(*pairs), [len(texts) for texts in references])}

    @property
    def signature(self) -> str:
        """The library's version and the settings."""
        return signature("wer", self.lowercase)
