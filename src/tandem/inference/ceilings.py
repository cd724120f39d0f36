"""The scores above which no output can get, as the target tokenizer cannot write the references."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tandem.core.directions import is_better
from tandem.data.written import BLANKS, CASE, CHANGES, FORM, OTHER, UNKNOWN, Changed, Written
from tandem.metrics.base import Metric

LOSSLESS = "tokenizer=bpe (tokenizer.byte_fallback=true) or tokenizer=byte"
REMEDIES = {
    UNKNOWN: LOSSLESS,
    BLANKS: LOSSLESS,
    OTHER: LOSSLESS,
    CASE: "tokenizer.lowercase=false",
    FORM: "tokenizer.normalization=none",
}
"""What changes no text in this way."""
AROUND = 30
"""Letters that a message shows before and behind the first difference of two texts."""
LEAST = 0.005
"""Scores that differ by less read the same."""


def closest_outputs(references: list[list[str]], written: Written) -> list[str]:
    """For each of the first rows, the closest output to its references that can be written."""
    return [written.outputs.get(row, texts[0]) for row, texts in enumerate(references)]


def ceilings(
    metrics: Sequence[Metric], references: list[list[str]], written: Written, *, prefix: str
) -> dict[str, float]:
    """Scores of the closest outputs, where they are worse than those of references themselves.

    :param references: of all rows.
    :param prefix: how names of the split's scores begin: ``val`` or ``test``.
    """
    if not written.unwritable:
        return {}
    outputs = closest_outputs(references, written)
    perfect = [
        output if output in texts else texts[0]
        for output, texts in zip(outputs, references, strict=True)
    ]
    limits: dict[str, float] = {}
    for metric in metrics:
        best, limit = metric(perfect, references), metric(outputs, references)
        limits |= {
            f"{prefix}/{name}": limit[name]
            for name, direction in metric.directions.items()
            if is_better(best[name], limit[name], direction, by=LEAST)
        }
    return limits


def as_record(written: Written, limits: Mapping[str, float]) -> dict[str, Any]:
    """What records of runs and evaluations say of a split.

    :param limits: its :func:`ceilings`.
    """
    record: dict[str, Any] = {"rows": written.rows, "unwritable": written.unwritable}
    if written.first is not None:
        record["first"] = written.first._asdict()
    return record | ({"ceilings": dict(limits)} if limits else {})


def warning(splits: Mapping[str, Written], limits: Mapping[str, float]) -> str | None:
    """What the target tokenizer cannot write, in some sentences; None if it can write all.

    :param splits: by their names; of ``train`` the targets count, which training learns from.
    :param limits: :func:`ceilings` of all of them.
    """
    changed = {name: written for name, written in splits.items() if written.unwritable}
    if not changed:
        return None
    happened = frozenset[str]().union(*(written.changes for written in changed.values()))
    changes = [change for change in CHANGES if change in happened]
    sentences = [
        f"The target tokenizer cannot write {_counted(changed)} as they stand "
        f"({', '.join(changes)}): {_examples(changed)}"
    ]
    if limits:
        scores = ", ".join(f"{name} {value:.2f}" for name, value in limits.items())
        sentences.append(f"Outputs as close to the references as it can write score {scores}")
    remedies = dict.fromkeys(REMEDIES[change] for change in changes)
    sentences.append(f"To keep texts as they are, train with {' and '.join(remedies)}")
    return ". ".join(sentences)


def _counted(changed: Mapping[str, Written]) -> str:
    """How many texts of each split cannot be written."""
    counts = []
    for name, written in changed.items():
        rows = f"{written.rows:,}" if written.is_all else f"the first {written.rows:,}"
        what = "training targets" if name == "train" else f"{name} references"
        counts.append(f"{written.unwritable:,} of {rows} {what}")
    return ", ".join(counts)


def _examples(changed: Mapping[str, Written]) -> str:
    """The first training target and the first reference that come back as something else."""
    trained = [written for name, written in changed.items() if name == "train"]
    scored = [written for name, written in changed.items() if name != "train"]
    firsts = (written.first for written in (*trained, *scored[:1]))
    shown = [(first.place, *_shown(first)) for first in firsts if first is not None]
    return "; ".join(f"in {place} {before} comes back as {after}" for place, before, after in shown)


def _shown(changed: Changed) -> list[str]:
    """Both texts around their first difference, so that what is invisible can be seen."""
    texts = (changed.text, changed.written)
    places = enumerate(zip(*texts, strict=False))
    end = min(map(len, texts))
    different = next((place for place, (before, after) in places if before != after), end)
    start = max(different - AROUND, 0)
    before, after = (unicodedata.normalize("NFC", text) for text in texts)
    show = ascii if before == after else repr
    return [_excerpt(text, start, different + AROUND, show) for text in texts]


def _excerpt(text: str, start: int, end: int, show: Callable[[str], str]) -> str:
    return f"{'…' if start else ''}{show(text[start:end])}{'…' if end < len(text) else ''}"
