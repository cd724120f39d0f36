"""What runs wrote for their test splits, and the resampled scores that are kept beside it."""

import contextlib
import hashlib
import json
import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from tandem.core.files import write_atomically
from tandem.reports.reading import UnreadableError, read_bytes
from tandem.reports.statistics import RESAMPLES, Floats

FILE = "test.jsonl"
CACHE = "resampled.npz"
"""Beside ``run.json``: the scores of each resample, as they take a while."""
LIMIT = 512 * 2**20
"""Bytes of all outputs."""
CACHE_LIMIT = 16 * 2**20
"""Bytes of kept scores, before and after they are unpacked."""
MAX_LETTERS = 100_000
"""Of a hypothesis or reference, as metrics of edits take time by the square of it."""
MAX_SAMPLES = 20
"""Rows of a test split of which a page shows what each run wrote."""


@dataclass(frozen=True)
class Sample:
    """A row of a test split and what a run wrote for it."""

    source: str
    references: tuple[str, ...]
    hypothesis: str


@dataclass(frozen=True)
class Outputs:
    """What a run wrote for its test split, and how its scores vary with the rows."""

    test_set: str
    """The same for runs that were tested on the same rows."""
    rows: int
    resampled: dict[str, Floats] = field(default_factory=dict)
    """Each score on each resample."""
    samples: list[Sample] = field(default_factory=list)
    """The first rows."""


@dataclass(frozen=True)
class OutputLines:
    """The lines of ``test.jsonl``."""

    lines: list[bytes]
    digest: str
    """Of the whole file."""

    def rows(self, count: int | None = None) -> list[Sample]:
        """The first rows, or all of them.

        :raises UnreadableError: if a line is not what the callback ``outputs`` writes.
        """
        return [_sample(number, line) for number, line in enumerate(self.lines[:count], start=1)]


def read_lines(folder: Path) -> OutputLines:
    """Read ``test.jsonl`` of a run's folder.

    :raises UnreadableError: if it cannot be read, or holds nothing.
    :raises FileNotFoundError: if there is none.
    """
    content = read_bytes(folder / FILE, LIMIT)
    if not content.strip():
        raise UnreadableError("it has no rows")
    return OutputLines(content.splitlines(), hashlib.sha256(content).hexdigest())


def _sample(number: int, line: bytes) -> Sample:
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"line {number} is not JSON") from error
    if not isinstance(row, dict):
        raise UnreadableError(f"line {number} is not a mapping")
    references = row.get("references")
    if not isinstance(references, list) or not references:
        raise UnreadableError(f"line {number} has no list of references")
    texts: list[Any] = [row.get("source"), row.get("hypothesis"), *references]
    if not all(isinstance(text, str) for text in texts):
        raise UnreadableError(f"line {number} lacks a text in source, references or hypothesis")
    source, hypothesis, *references = texts
    if any(len(text) > MAX_LETTERS for text in (hypothesis, *references)):
        raise UnreadableError(f"line {number} has a text of more than {MAX_LETTERS:,} letters")
    return Sample(source, tuple(references), hypothesis)


def kept_scores(folder: Path, key: str) -> tuple[str, dict[str, Floats]] | None:
    """The test split and scores that were kept of these outputs and metrics, if any were.

    :param key: of the outputs and the metrics.
    """
    try:
        content = read_bytes(folder / CACHE, CACHE_LIMIT)
        sizes = [member.file_size for member in zipfile.ZipFile(BytesIO(content)).infolist()]
        if sum(sizes) > CACHE_LIMIT:
            return None
        with np.load(BytesIO(content), allow_pickle=False) as file:
            arrays = dict(file)
        if arrays.pop("key").item() != key:
            return None
        test_set = str(arrays.pop("test_set").item())
    except Exception:  # whatever is wrong with it, it is made anew
        return None
    is_whole = all(
        array.shape == (RESAMPLES,) and array.dtype == np.float64 for array in arrays.values()
    )
    return (test_set, arrays) if is_whole else None


def keep_scores(folder: Path, key: str, test_set: str, scores: dict[str, Floats]) -> None:
    """Keep scores for the next report, if the run's folder may be written to."""
    buffer = BytesIO()
    arrays: dict[str, Any] = {"key": key, "test_set": test_set, **scores}
    np.savez_compressed(buffer, **arrays)
    with contextlib.suppress(OSError):
        write_atomically(folder / CACHE, buffer.getvalue())
