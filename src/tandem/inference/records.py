"""Outputs as plain data, for JSON."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

from tandem.core.types import Hypothesis
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.inference.source_attention import SourceAttention


def output_records(
    target: Tokenizer,
    hypotheses: Sequence[Sequence[Hypothesis]],
    attention: Sequence[Sequence[SourceAttention]] | None = None,
) -> list[list[dict[str, Any]]]:
    """For each hypothesis of each source its text, its score (null if it is impossible) and its
    tokens.

    :param attention: of each hypothesis, too: adds ``attention``, a list of weights over the source
        for each token, to four decimals, and for texts ``source``, the symbols that the weights
        are of.
    """
    records = [[output_record(target, one) for one in ones] for ones in hypotheses]
    for record, looked in zip(chain(*records), chain(*(attention or ())), strict=False):
        rows = looked.weights.tolist()
        record["attention"] = [[round(weight, 4) for weight in row] for row in rows]
        if looked.source is not None:
            record["source"] = looked.source
    return records


def output_record(target: Tokenizer, hypothesis: Hypothesis) -> dict[str, Any]:
    """The same of one hypothesis, without attention."""
    return {
        "text": target.decode(hypothesis.tokens),
        "score": finite(hypothesis.score),
        "tokens": target.tokens(hypothesis.tokens),
    }


def finite(score: float) -> float | None:
    """The same number, or None for one that JSON does not have."""
    return score if math.isfinite(score) else None
