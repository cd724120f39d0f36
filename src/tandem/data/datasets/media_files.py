"""Pictures or recordings whose texts stand in tables: the Hub's folder layouts and many others."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import folder_or_file
from tandem.data.datasets.file_splits import by_group, make_file_splits, read_entries
from tandem.data.file_columns import Columns, FileColumns, FileEntry
from tandem.data.file_tables import FileTables, Table
from tandem.data.rows import Column
from tandem.data.rows.table_options import table_format
from tandem.data.splitting import AUTO, TRAIN, Part, Splitting, listed

logger = logging.getLogger(__name__)


def media_files(
    *,
    data_dir: str,
    table: str | None,
    train: str,
    validation: Part,
    test: Part | None,
    split_column: Column | None,
    group: Column | None,
    seed: int,
    file: Column,
    target: Columns,
    folder: str | None,
    ending: str,
    delimiter: str | None,
    quote: str | None,
    header: bool | str,
    rest: str,
    comment: str | None,
    strip: bool,
    on_bad_example: str,
    begin: Column | None = None,
    duration: Column | None = None,
) -> DatasetDict:
    r"""Load files with texts: a table for each split, or one table for all.

    A split is a table, or a folder with ``metadata.csv`` or ``metadata.jsonl`` and the files in it.
    One table, ``dataset.table`` or ``metadata.csv`` in the set's folder, has the splits in a
    column, or in its paths (``train/0001.png``), or none, of which shares are drawn. Rows have
    delimiters, are JSON Lines, or in a layout of their own (:mod:`tandem.data.file_tables`).

    Several rows for one file, or a list of texts, are several acceptable outputs: training has an
    example for each, and evaluation one with all as references.

    :param data_dir: the set's folder, or its one table.
    :param table: the one table of all splits, in that folder; None: one for each split, or
        ``metadata.csv`` in the folder.
    :param train: the name of the training split: a table, a folder, or a value of the column of
        splits; ``auto``: what is called train, or all there is.
    :param validation: the same for validation, or a share of the training files; ``auto``: what is
        called like training with another word, else a tenth.
    :param test: the same for test; ``auto``: as it is called, else None: there is no test split.
    :param split_column: the column whose values name the split of each row.
    :param group: the column of which equal values stay in one split when shares are drawn, such as
        a speaker; ``auto``: the speaker, if a column is called so; None: files of equal content.
    :param seed: what shares are drawn from.
    :param file: the column of files, by name, or by number from 0 on.
    :param target: the column of texts, or several.
    :param folder: of the files, in the set's folder; None: beside the table.
    :param ending: appended to the files' names where it is missing, such as ``.wav``.
    :param delimiter: the character between columns; ``\t`` is a tab; None: by the table's name.
    :param quote: the character around fields with the delimiter in them; None: none; ``auto``: none
        in tab-separated tables, else ``"``.
    :param header: whether the first row has the columns' names; ``auto``: if columns are named.
    :param rest: of longer rows: ``error``, ``join`` the rest with the last column that is asked
        for, or ``drop`` it.
    :param comment: what lines begin with that are passed by.
    :param strip: whether whitespace at the ends of texts is removed.
    :param on_bad_example: ``error``, or ``skip`` rows without a text or whose file is missing.
    :param begin: the column of where a part of a recording begins, in seconds.
    :param duration: the column of how long that part is, in seconds.
    """
    home, only = folder_or_file(data_dir)
    columns = FileColumns(
        file=file,
        target=target,
        group=group,
        split=split_column,
        ending=ending,
        strip=strip,
        begin=begin,
        duration=duration,
    )
    form = table_format(
        columns.all,
        delimiter=delimiter,
        quote=quote,
        header=header,
        rest=rest,
        comment=comment,
    )
    tables = FileTables(home=home, folder=folder, form=form)
    splitting = Splitting(train=train, validation=validation, test=test, seed=seed)
    return load_files(
        tables, columns, splitting, table=table or only, on_bad_example=on_bad_example
    )


def load_files(
    tables: FileTables,
    columns: FileColumns,
    splitting: Splitting,
    *,
    table: str | None = None,
    on_bad_example: str,
) -> DatasetDict:
    """Load the splits of a set of files, as :func:`media_files` says."""
    one = _only_table(tables, columns, splitting, table)
    if one is not None:
        return load_tables(one, columns, splitting, tables.home, on_bad_example=on_bad_example)
    splitting = splitting.settled(tables.names(), where=tables.where, has=tables.has)
    splits = {
        split: read_entries(
            tables.open(split, name), columns, tables.home, on_bad_example=on_bad_example
        )
        for split, name in splitting.names.items()
    }
    return _divided(splits, splitting, columns)


def load_tables(
    tables: Sequence[Table],
    columns: FileColumns,
    splitting: Splitting,
    home: Path,
    *,
    on_bad_example: str,
) -> DatasetDict:
    """Load the splits of one table, which may have shards: by a column, by its paths, or shares."""
    name = tables[0].name
    entries = read_entries(tables, columns, home, on_bad_example=on_bad_example)
    named = _by_name(entries, columns, name)
    splitting = splitting.settled(list(named), where=f"the table {name}")
    splits = {split: _named(named, split, name) for split, name in splitting.names.items()}
    return _divided(splits, splitting, columns)


def _divided(
    splits: dict[str, list[FileEntry]], splitting: Splitting, columns: FileColumns
) -> DatasetDict:
    """Return all splits; files are looked into only where shares are drawn."""
    if not splitting.shares:
        return make_file_splits(splits)
    entries = splits["train"]
    speakers = {entry.group for entry in entries}
    if columns.group == AUTO and speakers != {""} and len(speakers) <= len(splitting.shares):
        logger.info("Too few speakers (%d) for splits of their own", len(speakers))
        entries = [replace(entry, group="") for entry in entries]
    return make_file_splits(splitting.divide({**splits, "train": entries}, by_group(entries)))


def _only_table(
    tables: FileTables, columns: FileColumns, splitting: Splitting, table: str | None
) -> list[Table] | None:
    """Return the one table of all splits, which may have shards; None: each split has its own."""
    if table is not None:
        return tables.open("table", table)
    if splitting.train != AUTO and tables.has(splitting.train):
        return None
    names = tables.names()
    if tables.is_split(tables.home) and not any(
        tables.is_split(tables.home / one) for one in names
    ):
        return tables.open("table", ".")
    if columns.split is None:
        return None
    if len(names) != 1:
        raise InputError(
            f"dataset.split_column={columns.split} needs one table, but {tables.where} has "
            f"{listed(names)}; name it with dataset.table."
        )
    return tables.open("table", names[0])


def _by_name(
    entries: Sequence[FileEntry], columns: FileColumns, table: str
) -> dict[str, list[FileEntry]]:
    """Return the entries by the names of their splits; paths name some only if all of them do.

    :param table: the name of all entries where nothing names their splits.
    """
    names = [entry.split for entry in entries]
    if columns.split is None and not (all(names) and any(map(TRAIN.search, names))):
        names = [table] * len(entries)
    named: dict[str, list[FileEntry]] = {}
    for name, entry in zip(names, entries, strict=True):
        named.setdefault(name, []).append(entry)
    return named


def _named(named: dict[str, list[FileEntry]], split: str, name: str) -> list[FileEntry]:
    if name not in named:
        raise InputError(
            f"dataset.{split}={name} is no split of the table, which has {listed(list(named))}; "
            f"correct it, or name the column of splits with dataset.split_column."
        )
    return named[name]
