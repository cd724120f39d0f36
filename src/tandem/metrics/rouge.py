"""ROUGE-1, ROUGE-2 and ROUGE-L by rouge-score (Lin 2004)."""

import re
from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from tandem.core.errors import InputError
from tandem.metrics._words import SCHEME, WORD, find_words
from tandem.metrics.base import Metric, yes_no

if TYPE_CHECKING:
    from nltk.stem.porter import PorterStemmer

TYPES = ("rouge1", "rouge2", "rougeL")
TOKENIZERS = {"words": SCHEME, "rouge_score": "rouge_score"}
"""Ways to find words, and what signatures call them."""
STEMMED = 4
"""Letters of the shortest words that have stems."""


class _Words:
    """Finds words for rouge-score; of ASCII texts the same ones as its own tokenizer."""

    def __init__(self, stemmer: "PorterStemmer | None") -> None:
        self.stemmer = stemmer
        self.pattern = re.compile(WORD)

    def tokenize(self, text: str) -> list[str]:
        """Small letters, without punctuation."""
        words = find_words(text.lower(), self.pattern)
        if self.stemmer is None:
            return words
        return [self.stemmer.stem(word) if len(word) >= STEMMED else word for word in words]


@final
class ROUGE(Metric):
    """Mean F-measure over rows; of several references the one that scores best, by type.

    :param stemmer: compare Porter stems of words longer than three letters.
    :param tokenize: ``words`` of every script, where characters of scripts without spaces count as
        words; or ``rouge_score``, whose tokenizer knows the letters a to z and digits alone: it
        cuts words at letters with accents, and text in other scripts scores 0. Texts in ASCII
        score the same with both.
    """

    directions: ClassVar = dict.fromkeys(TYPES, "max")

    def __init__(self, *, stemmer: bool, tokenize: str) -> None:
        # They bring nltk, which others need not load.
        from nltk.stem.porter import PorterStemmer
        from rouge_score.rouge_scorer import RougeScorer

        if tokenize not in TOKENIZERS:
            raise InputError(
                f"metric.rouge.tokenize ({tokenize}) must be one of {', '.join(TOKENIZERS)}."
            )
        self.stemmer, self.tokenize = stemmer, tokenize
        words = _Words(PorterStemmer() if stemmer else None) if tokenize == "words" else None
        self._scorer = RougeScorer(list(TYPES), use_stemmer=stemmer, tokenizer=words)

    def counts(self, hypotheses: list[str], references: list[list[str]]) -> NDArray[np.float64]:
        """Return the F-measure of each type, and rows."""
        best = [
            self._scorer.score_multi(texts, hypothesis)
            for hypothesis, texts in zip(hypotheses, references, strict=True)
        ]
        return np.array([[*(row[name].fmeasure for name in TYPES), 1] for row in best])

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return ``{"rouge1": percent, "rouge2": percent, "rougeL": percent}``."""
        *totals, rows = sums.tolist()
        return {name: 100.0 * total / rows for name, total in zip(TYPES, totals, strict=True)}

    @property
    def signature(self) -> str:
        """The library's version and the settings."""
        return (
            f"rouge-score|f-measure|refs:best|tok:{TOKENIZERS[self.tokenize]}"
            f"|stemmer:{yes_no(self.stemmer)}|version:{version('rouge-score')}"
        )
