"""A split of a set of the Hub as a stream."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from datasets import IterableDataset

from tandem.core.errors import InputError
from tandem.data.datasets.hub_split import telling
from tandem.data.fingerprints import Fingerprint, file_fingerprint
from tandem.data.stream import Example, Place, Shard, make_pair

ROWS_AT_ONCE = 1000


def hub_shards(
    rows: IterableDataset, files: Sequence[str], *, source: str, target: str, place: str
) -> list["HubShard"]:
    """Return the shards of a split, which are its files where the set is stored.

    :param files: their paths or addresses.
    :param source: the source column; ``translation.de`` looks into a column of records.
    :param target: the target column, given in the same way.
    :param place: how an error names the split.
    """
    count = rows.num_shards
    return [
        HubShard(
            rows.shard(num_shards=count, index=number),
            source,
            target,
            f"{place} shard {number + 1} of {count}",
            tuple(files[number::count]),
        )
        for number in range(count)
    ]


@dataclass(frozen=True)
class HubShard(Shard):
    """Some rows of a split; a place is how many of them lie before."""

    rows: IterableDataset
    source: str
    target: str
    name: str
    files: tuple[str, ...]
    """Those to take fingerprints of; an address names its version itself."""

    def read(self, start: Place) -> Iterator[tuple[Example, Place]]:
        """See :class:`Shard`."""
        (number,) = start or (0,)
        remedy = "check the files or the network, and go on with resume=true"
        with telling(f"{self.name} behind row {number}", remedy):
            tables = self.rows.skip(number).with_format("arrow").iter(batch_size=ROWS_AT_ONCE)
            for table in tables:
                for source, target in zip(*self._columns(table), strict=True):
                    number += 1
                    place = f"{self.name} row {number}"
                    yield make_pair(source or "", target or "", place, place), (number,)

    def fingerprints(self) -> dict[str, Fingerprint]:
        """See :class:`Shard`."""
        return {file: {} if "://" in file else file_fingerprint(Path(file)) for file in self.files}

    def _columns(self, table: pa.Table) -> tuple[list[str | None], list[str | None]]:
        """Return the texts of both sides."""
        while any(pa.types.is_struct(field.type) for field in table.schema):
            table = table.flatten()
        return self._texts(table, "source", self.source), self._texts(table, "target", self.target)

    def _texts(self, table: pa.Table, key: str, name: str) -> list[str | None]:
        if name not in table.column_names:
            raise InputError(
                f"{self.name} has no column `{name}` (its columns are "
                f"{', '.join(table.column_names)}); set dataset.{key} to one of them."
            )
        column = table.column(name)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            raise InputError(
                f"The column `{name}` of {self.name} must hold text, but holds {column.type}; set "
                f"dataset.{key} to another."
            )
        texts: list[str | None] = column.to_pylist()
        return texts
