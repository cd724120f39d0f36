"""What word, phoneme and character error rate have in common."""

from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.metrics._normalization import normalize


def flatten(
    hypotheses: list[str], references: list[list[str]], normalization: str
) -> tuple[list[str], list[str]]:
    """List every pair of a reference and its row's hypothesis, normalised, as two lists."""
    pairs = [
        (normalize(reference, normalization), normalize(hypothesis, normalization))
        for hypothesis, texts in zip(hypotheses, references, strict=True)
        for reference in texts
    ]
    return [reference for reference, _ in pairs], [hypothesis for _, hypothesis in pairs]


def errors_and_units(output: Any, references: list[list[str]]) -> NDArray[np.float64]:
    """Errors and reference units of each row.

    A row counts with the reference that has the fewest errors; at a tie, the longest one.

    :param output: jiwer's alignment of the flattened pairs.
    :param references: the texts that were flattened.
    """
    rows, start = [], 0
    for texts in references:
        errors, minus_units = min(
            (_errors(output.alignments[pair]), -len(output.references[pair]))
            for pair in range(start, start + len(texts))
        )
        rows.append((errors, -minus_units))
        start += len(texts)
    return np.array(rows, dtype=np.float64)


def error_rate(sums: NDArray[np.float64]) -> float:
    """Errors per reference unit in percent, over the whole corpus.

    Where no reference has any unit, every inserted unit counts as if against a reference of one.
    """
    errors, units = sums.tolist()
    return 100.0 * errors / max(units, 1)


def signature(rate: str, normalization: str, *, spaces: str) -> str:
    """Return the library's version, the settings and the rules of :func:`errors_and_units`.

    :param spaces: what becomes of spaces that separate no words.
    """
    return (
        f"jiwer.{rate}|refs:fewest-errors|ties:longest-reference|normalization:{normalization}"
        f"|spaces:{spaces}|version:{version('jiwer')}"
    )


def _errors(chunks: list[Any]) -> int:
    """Count the units in all stretches that are not equal."""
    return sum(
        max(
            chunk.ref_end_idx - chunk.ref_start_idx,
            chunk.hyp_end_idx - chunk.hyp_start_idx,
        )
        for chunk in chunks
        if chunk.type != "equal"
    )
