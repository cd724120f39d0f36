"""Folders of pictures or recordings with their texts in a table: the Hub's folder layouts."""

import csv
import io
import json
import logging
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, Features, List, Value

from tandem.core.errors import InputError
from tandem.data.compressed import find_file, plain_suffix
from tandem.data.datasets.base import SPLITS, check_on_bad_example, check_splits
from tandem.data.text_files import read_text

logger = logging.getLogger(__name__)

METADATA = ("metadata.csv", "metadata.jsonl")
FILE_COLUMN = "file_name"
FILE_FEATURES = {"path": Value("string"), "bytes": Value("binary")}
"""The column ``source`` where the source is not text; one of the two may be null."""


@dataclass(frozen=True)
class FileEntry:
    """One picture or recording with what is said about it."""

    file: Path
    texts: list[str]
    """One or more acceptable outputs."""
    place: str
    """For example ``data/train/metadata.csv line 3``."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """What else stands in its row, such as the speaker."""


def read_folder(
    folder: Path, text_column: str, endings: Collection[str], *, on_bad_example: str
) -> list[FileEntry]:
    """Return the entries of one folder with ``metadata.csv`` or ``metadata.jsonl`` in it.

    Several rows for one file, or a list of texts in JSON Lines, are several acceptable outputs of
    one entry; entries come in the order in which the table first names them.

    :param text_column: the column of the texts; the files stand in the column ``file_name``.
    :param endings: how names of files of this kind end, such as ``.wav``.
    :param on_bad_example: ``error``, or ``skip`` rows without a text or whose file is missing, and
        files without a row.
    :raises InputError: if the table is missing, damaged or has other columns.
    """
    check_on_bad_example(on_bad_example)
    table = _find_table(folder)
    rows: dict[Path, FileEntry] = {}
    for place, record in read_records(table):
        entry = _entry(folder, record, text_column, place)
        earlier = rows.get(entry.file)
        if earlier is None:
            rows[entry.file] = entry
        else:
            rows[entry.file] = replace(earlier, texts=[*earlier.texts, *entry.texts])
    _check_untold(folder, table, rows, endings, on_bad_example)
    return keep_whole(list(rows.values()), on_bad_example=on_bad_example)


def read_records(path: Path, *, delimiter: str = ",") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each row of a table with names in its first row, or of JSON Lines, with its place."""
    text = read_text(path)
    if plain_suffix(path) == ".jsonl":
        yield from _json_records(path, text)
        return
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL,
        strict=True,
    )
    names: list[str] | None = None
    first = 1
    try:
        for row in reader:
            if names is None:
                names = row
            elif row:
                yield f"{path} line {first}", _record(names, row, f"{path} line {first}")
            first = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"The table {path} cannot be read at line {first} ({error}); correct the line."
        ) from error


def keep_whole(entries: Sequence[FileEntry], *, on_bad_example: str) -> list[FileEntry]:
    """Return the entries whose file exists and that have a text; others are an error or skipped."""
    check_on_bad_example(on_bad_example)
    kept, first_bad = [], ""
    for entry in entries:
        whole = replace(entry, texts=[text for text in entry.texts if text.strip()])
        if not entry.file.is_file():
            problem = f"names the file {entry.file}, which does not exist"
        elif len(whole.texts) < len(entry.texts) and (on_bad_example == "error" or not whole.texts):
            problem = f"has an empty text for {entry.file.name}"
        else:
            kept.append(whole)
            continue
        if on_bad_example == "error":
            raise InputError(
                f"{entry.place} {problem}, but every example needs a file and a text; correct the "
                "table or set data.on_bad_example=skip."
            )
        first_bad = first_bad or f"{entry.place} {problem}"
    if first_bad:
        logger.info(
            "Skipped %d of %d examples; the first: %s.",
            len(entries) - len(kept),
            len(entries),
            first_bad,
        )
    return kept


def by_content(entries: Sequence[FileEntry]) -> Callable[[FileEntry], str]:
    """What is equal for entries whose files have the same content; files of one size are read."""
    sizes = {entry.file: entry.file.stat().st_size for entry in entries}
    counts = Counter(sizes.values())

    def content(entry: FileEntry) -> str:
        size = sizes[entry.file]
        checksum = zlib.crc32(entry.file.read_bytes()) if counts[size] > 1 else 0
        return f"{size} {checksum}"

    return content


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
            "source": [{"path": str(entry.file), "bytes": None} for entry in entries],
            "target": [entry.texts[0] for entry in entries],
        }
        features: dict[str, Any] = {"source": FILE_FEATURES, "target": Value("string")}
        if several:
            columns["references"] = [entry.texts for entry in entries]
            features["references"] = List(Value("string"))
        made[name] = Dataset.from_dict(columns, features=Features(features))
    return check_splits(DatasetDict(made))


def _find_table(folder: Path) -> Path:
    """Return the folder's table."""
    if not folder.is_dir():
        raise InputError(
            f"The folder {folder} does not exist; correct dataset.data_dir or the name of the "
            "split's folder."
        )
    candidates = (find_file(folder / name) for name in METADATA)
    there = [path for path in candidates if path is not None]
    if len(there) != 1:
        raise InputError(
            f"The folder {folder} must have one of the files {' and '.join(METADATA)}, but has "
            f"{'both' if there else 'neither'}; keep one table with the columns {FILE_COLUMN} and "
            "the text."
        )
    return there[0]


def _entry(folder: Path, record: dict[str, Any], text_column: str, place: str) -> FileEntry:
    """Make an entry of one row."""
    for key, option in ((FILE_COLUMN, None), (text_column, "dataset.target")):
        if key not in record:
            remedy = f"set {option} to one of them" if option else "add the column"
            raise InputError(
                f"{place} has no column `{key}` (its columns are {', '.join(record) or 'none'}); "
                f"{remedy}."
            )
    name, value = record[FILE_COLUMN], record[text_column]
    texts = [
        "" if text is None else text for text in (value if isinstance(value, list) else [value])
    ]
    if not isinstance(name, str) or not all(isinstance(text, str) for text in texts):
        raise InputError(
            f"The values of `{FILE_COLUMN}` and `{text_column}` at {place} must be text; write "
            "them in quotes."
        )
    others = {
        key: str(value)
        for key, value in record.items()
        if key not in (FILE_COLUMN, text_column) and value is not None
    }
    return FileEntry(folder / name, [text.strip() for text in texts] or [""], place, others)


def _check_untold(
    folder: Path,
    table: Path,
    told: Collection[Path],
    endings: Collection[str],
    on_bad_example: str,
) -> None:
    """Tell of files that no row names; they are an error or left out."""
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in endings]
    known = {path.resolve() for path in told}
    untold = [path for path in files if path.resolve() not in known]
    if untold and on_bad_example == "error":
        raise InputError(
            f"The file {untold[0]} has no row in {table} ({len(untold)} of {len(files)} files have "
            "none), but every file needs a text; add it, remove the file or set "
            "data.on_bad_example=skip."
        )
    if untold:
        logger.info(
            "Left out %d of %d files that have no row in %s, the first of them %s.",
            len(untold),
            len(files),
            table,
            untold[0],
        )


def _record(names: list[str], row: list[str], place: str) -> dict[str, Any]:
    """Give a row's values their names."""
    if len(row) != len(names):
        raise InputError(
            f"{place} has {len(row)} columns where the first row has {len(names)}; correct the row."
        )
    return dict(zip(names, row, strict=True))


def _json_records(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of JSON Lines."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path} line {number}"
        try:
            record = json.loads(line)
        except ValueError as error:
            raise InputError(
                f"{place} is not JSON ({error}); each line must be one whole object."
            ) from error
        if not isinstance(record, dict):
            raise InputError(f"{place} must be a JSON object with keys; correct the line.")
        yield place, record
