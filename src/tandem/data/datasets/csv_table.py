"""Comma-, tab- or otherwise separated values."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.compressed import plain_suffix
from tandem.data.datasets.base import (
    Entry,
    any_file,
    existing_folder,
    make_splits,
    split_file,
)
from tandem.data.splitting import Part, Splitting
from tandem.data.text_files import read_text

TAB_SEPARATED = (".tsv", ".tab")
"""How the names of such files end."""


def csv_table(
    *,
    data_dir: str,
    train: str,
    validation: Part,
    test: Part | None,
    seed: int,
    source: str | int,
    target: str | int,
    delimiter: str | None,
    quote: str | None,
    on_bad_example: str,
) -> DatasetDict:
    r"""Load tables, one example a row.

    :param data_dir: the folder of the files.
    :param train: the training file's name, such as ``train.csv``, also ``train.csv.gz``.
    :param validation: the validation file's name, or a share of the training rows.
    :param test: the same for test; None: there is no test split.
    :param seed: what shares are drawn from.
    :param source: the source column: its name in the first row, or its number from 0 on if the
        files have no row of names.
    :param target: the target column, given in the same way.
    :param delimiter: the character between columns; ``\t`` is a tab. None: a tab in files whose
        names end with ``.tsv`` or ``.tab``, else a comma.
    :param quote: the character around fields that contain the delimiter, or None.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    delimiter = "\t" if delimiter == "\\t" else delimiter
    _check(source, target, delimiter, quote)
    folder = existing_folder(data_dir)
    splitting = Splitting(train=train, validation=validation, test=test, seed=seed)
    splits: dict[str, list[Entry]] = {}
    for split, name in splitting.names(lambda name: any_file(folder, name)).items():
        path = split_file(folder, split, name)
        between = delimiter or ("\t" if plain_suffix(path).lower() in TAB_SEPARATED else ",")
        splits[split] = _entries(path, _rows(path, between, quote), source, target)
    return make_splits(splits, on_bad_example=on_bad_example, splitting=splitting)


def _check(source: str | int, target: str | int, delimiter: str | None, quote: str | None) -> None:
    """Refuse options that no file could satisfy."""
    if isinstance(source, int) != isinstance(target, int):
        raise InputError(
            f"dataset.source ({source}) and dataset.target ({target}) must both be column names, "
            "or both be numbers for files without a row of names."
        )
    for key, value in (("delimiter", delimiter), ("quote", quote)):
        if value is not None and (len(value) != 1 or value in "\r\n"):
            raise InputError(f"dataset.{key} ({value!r}) must be one character.")


def _rows(path: Path, delimiter: str, quote: str | None) -> Iterator[tuple[str, list[str]]]:
    """Yield each row with its place; a row is named by the line that it starts at."""
    reader = csv.reader(
        io.StringIO(read_text(path), newline=""),
        delimiter=delimiter,
        quotechar=quote,
        quoting=csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL,
        strict=True,
    )
    first = 1
    try:
        for row in reader:
            if row:
                yield f"{path} line {first}", row
            first = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"The table {path} cannot be read at line {first} ({error}); correct the line, or "
            "dataset.delimiter and dataset.quote; dataset.quote=null takes quotation marks as text."
        ) from error


def _entries(
    path: Path, rows: Iterator[tuple[str, list[str]]], source: str | int, target: str | int
) -> list[Entry]:
    """Pick the two columns out of all rows."""
    if isinstance(source, int) and isinstance(target, int):
        columns, width = (source, target), max(source, target) + 1
    else:
        _, names = next(rows, ("", []))
        columns = (_index(path, names, str(source)), _index(path, names, str(target)))
        width = len(names)
    entries = []
    for place, row in rows:
        if len(row) < width or (not isinstance(source, int) and len(row) > width):
            raise InputError(
                f"{place} has {len(row)} columns where {width} are needed; correct the row, or "
                "dataset.delimiter and dataset.quote."
            )
        entries.append(Entry(row[columns[0]].strip(), row[columns[1]].strip(), place, place))
    return entries


def _index(path: Path, names: list[str], name: str) -> int:
    """Return where a named column stands."""
    if name not in names:
        raise InputError(
            f"The table {path} has no column `{name}` (its first row is "
            f"{', '.join(names) or 'empty'}); set dataset.source and dataset.target to names that "
            "stand there, or to numbers."
        )
    return names.index(name)
