"""CIDEr-D: Vedantam et al. (2015), sections 4 and 5."""

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from tandem.core.errors import InputError
from tandem.metrics._words import SCHEME, find_words
from tandem.metrics.base import Metric, yes_no

LONGEST = 4
"""N-grams of 1 to so many words count alike."""
SIGMA = 6.0
"""Words by which a length may differ before the score falls much (section 5)."""
_PART = "[w_][wm_]*"
TOKENIZERS = {
    "words": re.compile(f"'{_PART}|{_PART}(?:-{_PART})*|cm*"),
    "none": re.compile(r"\S+"),
}
"""What a word is in the shape of a text."""
NAMES = {"words": SCHEME, "none": "none"}
"""What signatures call them."""

Words = tuple[str, ...]


@dataclass(frozen=True)
class Weighted:
    """A text as its n-grams' weights, one vector for each n."""

    weights: list[dict[Words, float]]
    norms: list[float]
    length: int
    """Words."""


@final
class CIDEr(Metric):
    """Mean similarity to the references in n-grams that tell this picture from the others.

    An n-gram weighs its count times the logarithm of rows over rows with it in a reference, so a
    score depends on which rows are scored together, and one row alone scores 0. Of the mean over
    n and references, the paper and the usual tools report 10 times the value; this is that times
    100, as tables print it: 110.0 stands for 1.10. Outputs equal to all their references score
    1,000 if each has four words or more.

    The usual tools split words as the Penn Treebank does and drop punctuation. Here ``words`` are
    letters and digits, joined by hyphens; an apostrophe begins a word (``man's`` is two), and
    other signs are dropped, which differs for contractions of ``not``. A character of a script
    without spaces, such as Chinese, is a word.

    :param tokenize: ``words``, or ``none`` to split at spaces only.
    :param lowercase: score without regard to case.
    """

    directions: ClassVar = {"cider": "max"}

    def __init__(self, *, tokenize: str, lowercase: bool) -> None:
        if tokenize not in TOKENIZERS:
            raise InputError(
                f"metric.cider.tokenize ({tokenize}) must be one of {', '.join(TOKENIZERS)}."
            )
        self.tokenize = tokenize
        self.lowercase = lowercase

    def counts(self, hypotheses: list[str], references: list[list[str]]) -> NDArray[np.float64]:
        """Return the similarity to the references, rarity taken from all rows here, and rows."""
        counted = [[self._count(text) for text in texts] for texts in references]
        documents = Counter(ngram for texts in counted for ngram in set().union(*texts))
        rows = len(hypotheses)
        means = []
        for hypothesis, texts in zip(hypotheses, counted, strict=True):
            output = _weigh(self._count(hypothesis), documents, rows)
            similar = (_similarity(output, _weigh(text, documents, rows)) for text in texts)
            means.append(sum(similar) / len(texts))
        return np.array([(mean, 1) for mean in means], dtype=np.float64)

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return ``{"cider": 100 times the score}``."""
        total, rows = sums.tolist()
        return {"cider": 100 * 10 * total / rows}

    @property
    def splits_at_spaces(self) -> bool:
        """It does if it is to."""
        return self.tokenize == "none"

    @property
    def signature(self) -> str:
        """The settings; there is no library behind this metric."""
        return (
            f"cider-d|refs:mean|n:{LONGEST}|sigma:{SIGMA:g}|df:references"
            f"|tok:{NAMES[self.tokenize]}"
            f"|lowercase:{yes_no(self.lowercase)}|scale:100"
        )

    def _count(self, text: str) -> Counter[Words]:
        """Count a text's n-grams of every length."""
        folded = text.lower() if self.lowercase else text
        words = find_words(folded, TOKENIZERS[self.tokenize])
        return Counter(
            tuple(words[start : start + n])
            for n in range(1, LONGEST + 1)
            for start in range(len(words) - n + 1)
        )


def _weigh(counts: Counter[Words], documents: Counter[Words], rows: int) -> Weighted:
    """Weigh counts by how few rows' references have the n-gram; one that none has weighs most."""
    weights: list[dict[Words, float]] = [{} for _ in range(LONGEST)]
    for ngram, count in counts.items():
        weights[len(ngram) - 1][ngram] = count * math.log(rows / max(1, documents[ngram]))
    norms = [math.hypot(*vector.values()) for vector in weights]
    return Weighted(
        weights, norms, sum(count for ngram, count in counts.items() if len(ngram) == 1)
    )


def _similarity(output: Weighted, reference: Weighted) -> float:
    """Mean over n of clipped cosines, less the more the lengths differ (section 5)."""
    total = 0.0
    for mine, its, *norms in zip(
        output.weights, reference.weights, output.norms, reference.norms, strict=True
    ):
        product = sum(min(mine[ngram], its[ngram]) * its[ngram] for ngram in mine.keys() & its)
        total += product / math.prod(norms) if product else 0.0
    penalty = math.exp(-((output.length - reference.length) ** 2) / (2 * SIGMA**2))
    return penalty * total / LONGEST
