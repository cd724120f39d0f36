"""References without spaces between words, which some metrics take for single words."""

from collections.abc import Sequence

from tandem.metrics._words import is_unspaced
from tandem.metrics.base import Metric

TEXTS = 100
"""So many references tell."""


def warning_of_spaces(metrics: Sequence[Metric], references: Sequence[list[str]]) -> str | None:
    """Name scores of words between spaces where references have none; None if there are no such."""
    names = [name for one in metrics if one.splits_at_spaces for name in one.directions]
    if not names or not is_unspaced(texts[0] for texts in references):
        return None
    return (
        f"The references have no spaces between words, which {', '.join(names)} would need to find "
        "any: a text counts as a word or few. Choose a tokenizer of characters or of the language "
        "(metric.bleu.tokenize=char, zh, ja-mecab), or metrics that have their own, such as chrf, "
        "cer or rouge"
    )
