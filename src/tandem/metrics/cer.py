"""Character error rate by jiwer."""

from typing import final

from jiwer import process_characters

from tandem.metrics._jiwer import error_rate, flatten, signature
from tandem.metrics._normalization import check_normalization
from tandem.metrics.base import Metric


@final
class CER(Metric):
    """Wrong, missing and added characters per reference character over the corpus; lower is better.

    :param normalization: of both texts: ``none``, or ``basic``, which leaves case, punctuation and
        repeated spaces out of account.
    """

    def __init__(self, *, normalization: str) -> None:
        check_normalization("cer", normalization)
        self.normalization = normalization

    def score(self, hypotheses: list[str], references: list[list[str]]) -> dict[str, float]:
        """Return ``{"cer": percent}``."""
        pairs = flatten(hypotheses, references, self.normalization)
        return {"cer": error_rate(process_characters(*pairs), [len(texts) for texts in references])}

    @property
    def signature(self) -> str:
        """The library's version and the settings."""
        return signature("cer", self.normalization)
