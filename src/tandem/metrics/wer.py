"""Word error rate by jiwer."""

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from tandem.metrics._jiwer import error_rate, errors_and_units, flatten, signature
from tandem.metrics._normalization import check_normalization
from tandem.metrics.base import Metric


@final
class WER(Metric):
    """Wrong, missing and added words per reference word over the corpus; lower is better.

    :param normalization: of both texts: ``none``, or ``basic``, which leaves case, punctuation and
        repeated spaces out of account.
    """

    directions: ClassVar = {"wer": "min"}

    def __init__(self, *, normalization: str) -> None:
        check_normalization("wer", normalization)
        self.normalization = normalization

    def counts(self, hypotheses: list[str], references: list[list[str]]) -> NDArray[np.float64]:
        """Return errors and reference units."""
        from jiwer import process_words

        pairs = flatten(hypotheses, references, self.normalization)
        return errors_and_units(process_words(*pairs), references)

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return ``{"wer": percent}``."""
        return {"wer": error_rate(sums)}

    @property
    def splits_at_spaces(self) -> bool:
        """It does."""
        return True

    @property
    def signature(self) -> str:
        """The library's version and the settings."""
        return signature("wer", self.normalization, spaces="merged")
