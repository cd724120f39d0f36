"""Text sets: rows that are stored somewhere, columns that mean something, and splits."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from datasets import Dataset, DatasetDict, Features, List, Value

from tandem.core.errors import InputError
from tandem.data.datasets.base import check_on_bad_example, check_splits
from tandem.data.layouts import Layout, SplitRows
from tandem.data.splitting import Splitting, check_streaming, listed, training_name
from tandem.data.stream import Shard, Stream, StreamedSplits
from tandem.data.text_columns import BY_SOURCE, TextColumns, TextExample

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
        split: _read_examples(split, rows, on_bad_example=on_bad_example)
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
    read: dict[str, list[TextExample]] = {}
    for example in _read_examples("train", rows, on_bad_example=on_bad_example):
        read.setdefault(example.split or "", []).append(example)
    names = sorted(read)
    column = f"the column `{rows.columns.split}`"
    settled = splitting.settled(names, where=column)
    for split, name in settled.names.items():
        if name not in read:
            raise InputError(
                f"No row has dataset.{split}={name} in {column}, which has {listed(names)}; "
                f"set dataset.{split} to one of them."
            )
    unused = [name for name in names if name not in settled.names.values()]
    if unused:
        count = sum(len(read[name]) for name in unused)
        logger.info("Left out %d rows of other splits: %s", count, listed(unused))
    named = {split: read[name] for split, name in settled.names.items()}
    return _divided(named, dict.fromkeys(named, rows.columns), settled)


def _read_examples(split: str, rows: SplitRows, *, on_bad_example: str) -> list[TextExample]:
    """Return the examples of a split; a bad one is an error or is left out and counted."""
    examples, bad = [], 0
    first: InputError | None = None
    for file in rows.files:
        for record, _ in file.read():
            example = record if isinstance(record, InputError) else rows.columns.example(record)
            if not isinstance(example, InputError):
                examples.append(example)
                continue
            if on_bad_example == "error":
                raise example
            bad, first = bad + 1, first or example
    if first is not None:
        if not examples:
            raise InputError(
                f"The {split} split has no example that can be used; the first of {bad} bad ones: "
                f"{first}"
            )
        logger.info("Skipped %d of %d examples; the first: %s", bad, bad + len(examples), first)
    return examples


def _divided(
    read: Mapping[str, Sequence[TextExample]],
    columns: Mapping[str, TextColumns],
    splitting: Splitting | None,
) -> DatasetDict:
    """Return all splits as a dataset."""
    splits = dict(read)
    if splitting is not None and splitting.shares:
        splits = {**splitting.divide(read, group=lambda example: example.group)}
    made = {}
    for split, examples in splits.items():
        meant = columns.get(split) or columns["train"]
        made[split] = _dataset(_meant(split, examples, meant))
    return check_splits(DatasetDict(made))


def _meant(
    split: str, examples: Sequence[TextExample], columns: TextColumns
) -> Sequence[TextExample]:
    """Return the examples as training learns from them, or as evaluation asks for them."""
    if split == "train":
        if columns.target is not None:
            return examples
        return [
            example._replace(target=target)
            for example in examples
            for target in example.references or []
        ]
    if columns.references == BY_SOURCE:
        return merged(examples)
    sources = len({example.source for example in examples})
    if columns.references is None and FEW_ROWS <= len(examples) > sources / FEW_SOURCES:
        logger.info(
            "The %s split has %d rows of %d different sources; dataset.references=by_source asks "
            "for each source once and scores the output against the targets of all its rows",
            split,
            len(examples),
            sources,
        )
    return examples


def merged(examples: Iterable[TextExample]) -> list[TextExample]:
    """Return one example a source, with the targets of all its rows as references."""
    targets: dict[str, list[str]] = {}
    first: dict[str, TextExample] = {}
    for example in examples:
        first.setdefault(example.source, example)
        targets.setdefault(example.source, []).append(example.target)
    return [example._replace(references=targets[source]) for source, example in first.items()]


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


def _dataset(examples: Sequence[TextExample]) -> Dataset:
    columns: dict[str, list[Any]] = {
        "source": [example.source for example in examples],
        "target": [example.target for example in examples],
    }
    features = {"source": Value("string"), "target": Value("string")}
    if any(example.references is not None for example in examples):
        columns["references"] = [example.references for example in examples]
        features["references"] = List(Value("string"))
    return Dataset.from_dict(columns, features=Features(features))
