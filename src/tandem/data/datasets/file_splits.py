"""Rows about pictures or recordings become the splits of a dataset."""

import logging
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, Features, List, Value

from tandem.core.errors import InputError
from tandem.data.datasets.base import SPLITS, check_on_bad_example, check_splits
from tandem.data.file_columns import FileColumns, FileEntry
from tandem.data.file_tables import Table

logger = logging.getLogger(__name__)

FILE_FEATURES = {"path": Value("string"), "bytes": Value("binary")}
"""The column ``source`` where the source is not text; one of the two may be null."""
MEDIA_ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".jp2", ".avif"),
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3"),
    *(".aif", ".aiff", ".aifc", ".au", ".caf", ".sph", ".w64", ".rf64"),
)
"""How names of pictures and recordings end."""


def read_entries(
    tables: Iterable[Table], columns: FileColumns, home: Path, *, on_bad_example: str
) -> list[FileEntry]:
    """Return the entries of tables, in the order in which files are first named.

    Several rows for one file are several acceptable outputs of one entry.

    :param home: the set's folder.
    :param on_bad_example: ``error``, or ``skip`` rows without a text or whose file is missing, and
        files without a row.
    :raises InputError: if a table is missing, damaged or has other columns.
    """
    check_on_bad_example(on_bad_example)
    entries: dict[tuple[str, str], FileEntry] = {}
    errors: list[InputError] = []
    count = 0
    for table in tables:
        for record, _ in table.rows.read():
            count += 1
            entry = (
                record
                if isinstance(record, InputError)
                else columns.entry(record, table.roots, home)
            )
            if isinstance(entry, InputError):
                if on_bad_example == "error":
                    raise entry
                errors.append(entry)
                continue
            key = entry.source, entry.split
            earlier = entries.get(key)
            texts = [] if earlier is None else earlier.texts
            entries[key] = replace(earlier or entry, texts=[*texts, *entry.texts])
        if table.complete is not None:
            told = {entry.file for entry in entries.values()}
            _check_untold(table.complete, told, on_bad_example)
    if errors and not entries:
        raise errors[0]
    if errors:
        logger.info("Skipped %d of %d rows; the first: %s", len(errors), count, errors[0])
    return list(entries.values())


def _check_untold(folder: Path, told: Collection[Path], on_bad_example: str) -> None:
    """Tell of files that no row names; they are an error or left out."""
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in MEDIA_ENDINGS and not path.name.startswith(".")
    ]
    known = {path.resolve() for path in told}
    untold = [path for path in files if path.resolve() not in known]
    if untold and on_bad_example == "error":
        raise InputError(
            f"The file {untold[0]} has no row in the table of {folder} ({len(untold)} of "
            f"{len(files)} files have none), but every file needs a text; add it, remove the file "
            "or set data.on_bad_example=skip."
        )
    if untold:
        logger.info(
            "Left out %d of %d files that have no row in the table of %s, the first of them %s.",
            len(untold),
            len(files),
            folder,
            untold[0],
        )


def by_group(entries: Sequence[FileEntry]) -> Callable[[FileEntry], str]:
    """What is equal for entries that stay in one split: their group, else their files' content.

    Files of one size are read.
    """
    files = {entry.file for entry in entries if not entry.group}
    sizes = {file: file.stat().st_size for file in files}
    counts = Counter(sizes.values())

    def group(entry: FileEntry) -> str:
        if entry.group:
            return entry.group
        size = sizes[entry.file]
        checksum = zlib.crc32(entry.file.read_bytes()) if counts[size] > 1 else 0
        return f"{size} {checksum}"

    return group


def make_file_splits(splits: Mapping[str, Sequence[FileEntry]]) -> DatasetDict:
    """Return the splits as a dataset whose column ``source`` names files.

    A training entry with several texts becomes one example a text; an evaluated one keeps them as
    references beside its first text.
    """
    several = any(len(entry.texts) > 1 for entries in splits.values() for entry in entries)
    made = {}
    for name in (name for name in SPLITS if name in splits):
        entries = list(splits[name])
        if name == "train":
            entries = [replace(entry, texts=[text]) for entry in entries for text in entry.texts]
        columns: dict[str, list[Any]] = {
            "source": [{"path": entry.source, "bytes": None} for entry in entries],
            "target": [entry.texts[0] for entry in entries],
        }
        features: dict[str, Any] = {"source": FILE_FEATURES, "target": Value("string")}
        if several:
            columns["references"] = [entry.texts for entry in entries]
            features["references"] = List(Value("string"))
        made[name] = Dataset.from_dict(columns, features=Features(features))
    return check_splits(DatasetDict(made))
