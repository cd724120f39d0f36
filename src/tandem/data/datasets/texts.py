"""Text sets: rows that are stored somewhere, columns that mean something, and splits."""

import logging
from collections.abc import Mapping

from datasets import Dataset, DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import SPLITS, check_on_bad_example, check_splits
from tandem.data.datasets.examples import Examples, merged, one_target_each, read_examples
from tandem.data.layouts import Layout, SplitRows
from tandem.data.splitting import Splitting, check_streaming, listed, training_name
from tandem.data.stream import Shard, Stream, StreamedSplits
from tandem.data.text_columns import BY_SOURCE, TextColumns

logger = logging.getLogger(__name__)

FEW_SOURCES = 0.8
"""Below this share of different sources, a hint says that there are several outputs for each."""
FEW_ROWS = 20
"""A split of fewer rows gets no hint."""


def load_texts(
    layout: Layout, splitting: Splitting, *, streaming: bool, on_bad_example: str
) -> DatasetDict | StreamedSplits:
    """Load a text set: find its splits, read their rows, and make examples of them.

    :param layout: where the rows of each split are, and what their columns mean.
    :param splitting: which splits there are.
    :param streaming: read the training pairs as a stream.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    check_on_bad_example(on_bad_example)
    names = layout.names() if splitting.is_open or layout.columns.split is not None else []
    if layout.columns.split is not None:
        name = training_name(names, where=layout.where)
        rows = layout.open("train", name)
        return _by_column(rows, splitting, streaming=streaming, on_bad_example=on_bad_example)
    settled = splitting.settled(names, where=layout.where, has=layout.has)
    check_streaming(settled, streaming=streaming)
    opened = {split: layout.open(split, name) for split, name in settled.names.items()}
    return make_splits(opened, settled, streaming=streaming, on_bad_example=on_bad_example)


def make_splits(
    opened: Mapping[str, SplitRows],
    splitting: Splitting | None = None,
    *,
    streaming: bool = False,
    on_bad_example: str,
) -> DatasetDict | StreamedSplits:
    """Make examples of the rows of splits.

    :param opened: the rows of each split that has a name.
    :param splitting: says which other splits are shares of the training rows; None: there are none.
    """
    check_on_bad_example(on_bad_example)
    read = {
        split: read_examples(split, rows, on_bad_example=on_bad_example)
        for split, rows in opened.items()
        if not (streaming and split == "train")
    }
    columns = {split: rows.columns for split, rows in opened.items()}
    loaded = _divided(read, columns, splitting)
    if not streaming:
        return loaded
    stream = Stream(_shards(opened["train"]), skip_bad=on_bad_example == "skip")
    return StreamedSplits(stream, loaded)


def _by_column(
    rows: SplitRows, splitting: Splitting, *, streaming: bool, on_bad_example: str
) -> DatasetDict:
    """Make the splits that a column names."""
    if streaming:
        raise InputError(
            "dataset.split_column sorts rows that are all read, but data.streaming=true reads "
            "files one by one; give each split files of its own, or set data.streaming=false."
        )
    examples = read_examples("train", rows, on_bad_example=on_bad_example)
    numbers: dict[str, list[int]] = {}
    for number, name in enumerate(examples.splits):
        numbers.setdefault(name, []).append(number)
    names = sorted(numbers)
    column = f"the column `{rows.columns.split}`"
    settled = splitting.settled(names, where=column)
    for split, name in settled.names.items():
        if name not in numbers:
            raise InputError(
                f"No row has dataset.{split}={name} in {column}, which has {listed(names)}; "
                f"set dataset.{split} to one of them."
            )
    unused = [name for name in names if name not in settled.names.values()]
    if unused:
        count = sum(len(numbers[name]) for name in unused)
        logger.info("Left out %d rows of other splits: %s", count, listed(unused))
    named = {split: examples.select(numbers[name]) for split, name in settled.names.items()}
    return _divided(named, dict.fromkeys(named, rows.columns), settled)


def _divided(
    read: Mapping[str, Examples],
    columns: Mapping[str, TextColumns],
    splitting: Splitting | None,
) -> DatasetDict:
    """Return all splits as a dataset."""
    splits = dict(read)
    if splitting is not None and splitting.shares:
        train = read["train"]
        groups = train.groups or train.rows["source"][:]
        numbers = splitting.divide({"train": range(len(groups))}, lambda number: groups[number])
        splits |= {split: train.select(chosen) for split, chosen in numbers.items()}
    made = {}
    for split in (split for split in SPLITS if split in splits):
        meant = columns.get(split) or columns["train"]
        made[split] = _meant(split, splits[split].rows, meant)
    return check_splits(DatasetDict(made))


def _meant(split: str, rows: Dataset, columns: TextColumns) -> Dataset:
    """Return examples as training learns from them, or as evaluation asks for them."""
    if split == "train":
        return rows if columns.target is not None else one_target_each(rows)
    if columns.references == BY_SOURCE:
        return merged(rows)
    if columns.references is not None or len(rows) < FEW_ROWS:
        return rows
    sources = len(rows.unique("source"))
    if len(rows) > sources / FEW_SOURCES:
        logger.info(
            "The %s split has %d rows of %d different sources; dataset.references=by_source asks "
            "for each source once and scores the output against the targets of all its rows",
            split,
            len(rows),
            sources,
        )
    return rows


def _shards(rows: SplitRows) -> list[Shard]:
    """Return the shards of a stream."""
    if rows.columns.target is None:
        raise InputError(
            "data.streaming=true reads one training pair a row, but with dataset.target=null each "
            "reference is a target; set dataset.target, or data.streaming=false."
        )
    for file in rows.files:
        if not file.streamable:
            raise InputError(
                f"The file {' and '.join(file.fingerprints())} must be read as a whole, but "
                "data.streaming=true reads files from any row on; write one row a line, or set "
                "data.streaming=false."
            )
    return [Shard(file, rows.columns) for file in rows.files]
