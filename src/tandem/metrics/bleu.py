"""BLEU by sacreBLEU (Papineni et al. 2002; Post 2018)."""

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from tandem.core.errors import InputError
from tandem.metrics._sacrebleu import CorpusScorer
from tandem.metrics.base import Metric

SPACED = ("13a", "intl", "none")
"""Tokenisers that cut at spaces and punctuation alone."""


@final
class BLEU(Metric):
    """Corpus BLEU with sacreBLEU's own tokenisation, so that figures compare with published ones.

    :param tokenize: sacreBLEU's tokeniser: ``13a``, ``intl``, ``char``, ``zh``, ``none``, ...;
        ``none`` for data that is tokenised already.
    :param lowercase: score without regard to case.
    :param smooth_method: what replaces an n-gram precision of zero: ``exp``, ``floor``,
        ``add-k`` or ``none``.
    """

    directions: ClassVar = {"bleu": "max"}

    def __init__(self, *, tokenize: str, lowercase: bool, smooth_method: str) -> None:
        from sacrebleu.metrics.bleu import BLEU as SacreBLEU

        for key, value, known in (
            ("tokenize", tokenize, SacreBLEU.TOKENIZERS),
            ("smooth_method", smooth_method, SacreBLEU.SMOOTH_DEFAULTS),
        ):
            if value not in known:
                raise InputError(
                    f"metric.bleu.{key} ({value}) is not known to sacreBLEU; "
                    f"choose one of {', '.join(sorted(known))}."
                )
        self.tokenize = tokenize
        # `force` says that tokenised text is meant to be, which silences a warning about it.
        metric = SacreBLEU(
            tokenize=tokenize, lowercase=lowercase, smooth_method=smooth_method, force=True
        )
        self._scorer = CorpusScorer(metric)

    def counts(self, hypotheses: list[str], references: list[list[str]]) -> NDArray[np.float64]:
        """Return sacreBLEU's own statistics."""
        return self._scorer.statistics(hypotheses, references)

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return ``{"bleu": percent}``."""
        return {"bleu": self._scorer.score(sums)}

    @property
    def splits_at_spaces(self) -> bool:
        """As most of sacreBLEU's tokenisers do."""
        return self.tokenize in SPACED

    @property
    def signature(self) -> str:
        """SacreBLEU's signature."""
        return self._scorer.signature()
