"""What word, phoneme and character error rate have in common."""

from importlib.metadata import version
from typing import Any

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


def error_rate(output: Any, counts: list[int]) -> float:
    """Errors per reference unit in percent, over the whole corpus.

    Each row counts with the reference that has the fewest errors; at a tie, the longest one.
    Where no reference has any unit, every inserted unit counts as if against a reference of one.

    :param output: jiwer's alignment of the flattened pairs.
    :param counts: the number of references of each row.
    """
    errors, units, start = 0, 0, 0
    for count in counts:
        best = min(
            (_errors(output.alignments[pair]), -len(output.references[pair]))
            for pair in range(start, start + count)
        )
        errors, units, start = errors + best[0], units - best[1], start + count
    return 100.0 * errors / max(units, 1)


def signature(unit: str, normalization: str) -> str:
    """Return the library's version and the settings."""
    return f"jiwer.{unit}|refs:fewest|normalization:{normalization}|version:{version('jiwer')}"


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
