"""What word and character error rate have in common."""

from importlib.metadata import version
from typing import Any

from tandem.metrics.base import yes_no


def flatten(
    hypotheses: list[str], references: list[list[str]], lowercase: bool
) -> tuple[list[str], list[str]]:
    """List every pair of a reference and its row's hypothesis, as two lists."""
    pairs = [
        (reference, hypothesis)
        for hypothesis, texts in zip(hypotheses, references, strict=True)
        for reference in texts
    ]
    if lowercase:
        pairs = [(reference.lower(), hypothesis.lower()) for reference, hypothesis in pairs]
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


def signature(unit: str, lowercase: bool) -> str:
    """Return the library's version and the settings."""
    return f"jiwer.{unit}|refs:fewest|lowercase:{yes_no(lowercase)}|version:{version('jiwer')}"


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
