"""The cache of vectors: each file of a split is read once, and then mapped from disk."""

import json
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tandem import __version__
from tandem.core.errors import InputError, reason_of
from tandem.core.printing import progress
from tandem.data.cache import CachedPart, cache_folder, cached_part, content_key, read_cached
from tandem.data.columns import Rows, VectorColumn
from tandem.data.features.base import Features, File, Vectors
from tandem.data.segments import content_of, find_segment

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SplitFiles:
    """The files of a split, and how they are read."""

    features: Features
    identity: str
    """All options of the features."""
    files: Sequence[File]
    """One an example."""
    name: str
    """Of the split, for errors."""
    place: Callable[[File, str, int], str]
    """How an error names an example: its file, the split, its row."""
    copies: int
    """Versions of each example."""
    skip_bad: bool
    """Leave out, and count, examples whose files are unusable."""


@dataclass(frozen=True)
class _Stored:
    """Vectors of distinct files: first copy 0 of all of them, then copy 1 and so on."""

    values: Vectors
    offsets: Rows
    places: dict[str, int]
    """By fingerprint."""
    checksums: Rows
    """Of each distinct file's content."""
    first_error: str
    """Why the first file that is missing here is unusable."""


def read_vectors(split: SplitFiles) -> tuple[VectorColumn, Rows, str]:
    """Read the files of a split, or map what was read before from the cache.

    :return: the vectors, all of copy 0 before all of copy 1; the row of the split that each
        belongs to; and a digest of the files' contents. Of examples with equal files one is read
        and kept.
    :raises InputError: if a file is unusable and not left out.
    """
    fingerprints = list(_fingerprints(split.files))
    distinct: dict[str, int] = {}
    for row, text in enumerate(fingerprints):
        distinct.setdefault(text, row)
    key = content_key(__version__, split.identity, str(split.copies), sorted(distinct))
    path = cache_folder() / "features" / f"{key}.vectors"
    stored = _load_vectors(path)
    if stored is None or not (split.skip_bad or len(stored.places) == len(distinct)):
        _write_vectors(path, split, distinct)
        stored = _load_vectors(path)
        assert stored is not None
    if len(stored.places) < len(distinct):
        logger.warning(
            "Skipped %d of %d %s files: %s",
            len(distinct) - len(stored.places),
            len(distinct),
            split.name,
            stored.first_error,
        )
    rows = [row for row, text in enumerate(fingerprints) if text in stored.places]
    places = np.array([stored.places[fingerprints[row]] for row in rows])  # of copy 0
    shifts = len(stored.places) * np.arange(split.copies)[:, None]
    chosen = (places + shifts).reshape(split.copies * len(rows))
    column = VectorColumn(stored.values, stored.offsets, chosen)
    digest = content_key(map(str, stored.checksums[places]))
    return column, np.tile(rows, split.copies), digest


def _write_vectors(path: Path, split: SplitFiles, distinct: dict[str, int]) -> None:
    """Read each distinct file and put all vectors into one, with an index behind them.

    :param distinct: for each fingerprint a row that has such a file.
    """
    try:
        with cached_part(path) as part:
            _write_part(part, split, distinct)
    except OSError as error:
        raise InputError(
            f"The cache {path.parent} cannot be written ({reason_of(error)}), but "
            f"{split.features.media} features need it; set the environment variable TANDEM_CACHE "
            "to a folder that can."
        ) from error


def _write_part(part: CachedPart, split: SplitFiles, distinct: dict[str, int]) -> None:
    lengths: list[int] = []
    checksums: list[int] = []
    bad: dict[str, InputError] = {}
    kind = ""
    what = f"Reading {split.name} files ({split.features.media})"
    for copy in range(split.copies):
        for text, row in progress(distinct.items(), what):
            if text in bad:
                continue
            file = split.files[row]
            try:
                vectors = split.features(file, split.place(file, split.name, row), copy)
            except InputError as error:
                if not split.skip_bad:
                    raise
                bad[text] = error
                continue
            kind = vectors.dtype.name
            part.file.write(np.ascontiguousarray(vectors).tobytes())
            lengths.append(len(vectors))
            if copy == 0:
                checksums.append(_checksum(file))
    if not lengths:
        raise InputError(
            f"Not one example of the {split.name} split can be read; correct its files."
        )
    part.unchecked = part.file.tell()
    index = {
        "lengths": lengths,
        "fingerprints": [text for text in distinct if text not in bad],
        "checksums": checksums,
        "kind": kind,
        "width": split.features.width,
        "first_error": str(next(iter(bad.values()), "")),
    }
    part.file.write(json.dumps(index).encode())


def _load_vectors(path: Path) -> _Stored | None:
    """Map what :func:`_write_vectors` wrote; None if it is not there, or damaged."""
    cached = read_cached(path)
    if cached is None:
        return None
    index = json.loads(bytes(cached.checked))
    places = {text: place for place, text in enumerate(index["fingerprints"])}
    return _Stored(
        values=np.frombuffer(cached.unchecked, index["kind"]).reshape(-1, index["width"]),
        offsets=np.concatenate(([0], np.cumsum(index["lengths"]))),
        places=places,
        checksums=np.array(index["checksums"]),
        first_error=index["first_error"],
    )


def _fingerprints(files: Iterable[File]) -> Iterator[str]:
    """A text that changes with each example's file."""
    for file in files:
        if file["bytes"] is not None:
            yield content_key(file["bytes"].hex())
        else:
            yield _path_fingerprint(file["path"] or "")


def _checksum(file: File) -> int:
    """Of a file's content, which was just read."""
    return zlib.crc32(content_of(file))


def _path_fingerprint(path: str) -> str:
    segment = find_segment(path)
    try:
        facts = segment.path.stat()
    except OSError:
        return f"{path} missing"
    part = "" if segment.whole else f" {segment.begin} {segment.end}"
    return f"{segment.path.resolve()} {facts.st_size} {facts.st_mtime_ns}{part}"
