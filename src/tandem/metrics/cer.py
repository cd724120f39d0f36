"""Character error rate by jiwer."""

from typing import final

from jiwer import process_characters

from tandem.metrics._jiwer import error_rate, flatten, signature
from tandem.metrics.base import Metric


@final
class CER(Metric):
    """Wrong, missing and added characters per reference character over the corpus; lower is better.

    :param lowercase: compare without regard to case.
    """

    def __init__(self, *, lowercase: bool) -> None:
        self.lowercase = lowercase

    def score(self, hypotheses: list[str], references: list[list[str]]) -> dict[str, float]:
        """Return ``{"cer": percent}``."""
        pairs = flatten(hypotheses, references, self.lowercase)
        return {"cer": error_rate(process_characters(*pairs), [len(texts) for texts in references])}

    @property
    def signature(self) -> str:
        """The library's version and the settings."""
        return signature("cer", self.lowercase)
