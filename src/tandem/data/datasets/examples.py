"""Examples of text rows as a dataset, a few in Python at once."""

import logging
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import pyarrow as pa
from datasets import Dataset
from datasets.fingerprint import generate_random_fingerprint
from datasets.table import InMemoryTable

from tandem.core.errors import InputError
from tandem.data.layouts import SplitRows
from tandem.data.text_columns import TextExample

logger = logging.getLogger(__name__)

AT_ONCE = 10_000
"""So many examples are Python objects at once; the others are Arrow's."""


class Examples(NamedTuple):
    """Examples, and what splits are made by."""

    rows: Dataset
    """With the columns source and target, and references where there are any."""
    groups: list[str]
    """Rows for which it is equal stay in one split; empty: those of one source."""
    splits: list[str]
    """The names of their splits; empty: no column has them."""

    def select(self, numbers: Sequence[int]) -> "Examples":
        """Return some of them, of which no further splits are made."""
        return Examples(self.rows.select(numbers), [], [])


def read_examples(split: str, rows: SplitRows, *, on_bad_example: str) -> Examples:
    """Return the examples of a split.

    :param on_bad_example: ``error``, or ``skip``, which counts them in the log.
    :raises InputError: for a bad example, or if there is no other.
    """
    columns = rows.columns
    schema = {"source": pa.string(), "target": pa.string()}
    if columns.reference_columns:
        schema["references"] = pa.list_(pa.string())
    groups: list[str] = []
    splits: list[str] = []
    tables = [pa.table({name: pa.array([], kind) for name, kind in schema.items()})]
    examples = _usable(split, rows, on_bad_example=on_bad_example)
    while some := list(islice(examples, AT_ONCE)):
        lists = {name: [getattr(example, name) for example in some] for name in schema}
        tables.append(pa.table({name: pa.array(lists[name], schema[name]) for name in schema}))
        if columns.group is not None:
            groups += [example.group for example in some]
        if columns.split is not None:
            splits += [example.split or "" for example in some]
    return Examples(_dataset(pa.concat_tables(tables)), groups, splits)


def _usable(split: str, rows: SplitRows, *, on_bad_example: str) -> Iterator[TextExample]:
    """Yield the examples; a bad one is an error or is left out and counted."""
    make, count, bad = rows.columns.example, 0, 0
    first: InputError | None = None
    for file in rows.files:
        for record, _ in file.read():
            example = record if isinstance(record, InputError) else make(record)
            if not isinstance(example, InputError):
                count += 1
                yield example
                continue
            if on_bad_example == "error":
                raise example
            bad, first = bad + 1, first or example
    if first is not None and not count:
        raise InputError(
            f"The {split} split has no example that can be used; the first of {bad} bad ones: "
            f"{first}"
        )
    if first is not None:
        logger.info("Skipped %d of %d examples; the first: %s", bad, bad + count, first)


def one_target_each(rows: Dataset) -> Dataset:
    """Return a row for each reference, which is its target."""
    lists = rows["references"][:]
    numbers = [number for number, references in enumerate(lists) for _ in references]
    targets = [target for references in lists for target in references]
    repeated = rows.select(numbers).with_format("arrow")[:]
    place = repeated.column_names.index("target")
    return _dataset(repeated.set_column(place, "target", pa.array(targets, pa.string())))


def merged(rows: Dataset) -> Dataset:
    """Return the first row of each source, with the targets of all its rows as references."""
    numbers: dict[str, int] = {}
    targets: dict[str, list[str]] = {}
    texts = zip(rows["source"][:], rows["target"][:], strict=True)
    for number, (source, target) in enumerate(texts):
        numbers.setdefault(source, number)
        targets.setdefault(source, []).append(target)
    first = rows.select(list(numbers.values())).with_format("arrow")[:]
    lists = pa.array(list(targets.values()), pa.list_(pa.string()))
    return _dataset(first.append_column("references", lists))


def _dataset(table: pa.Table) -> Dataset:
    """Return a table as a dataset, without the hash of its content that nobody asks for."""
    return Dataset(InMemoryTable(table), fingerprint=generate_random_fingerprint())
