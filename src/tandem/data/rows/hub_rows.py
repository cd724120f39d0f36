"""Rows of a split of the Hugging Face Hub, or of a folder that is laid out like its sets."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import pyarrow as pa

from tandem.core.errors import InputError
from tandem.data.fingerprints import Fingerprint, file_fingerprint
from tandem.data.hub_split import telling
from tandem.data.rows.base import Column, Offset, Record, RowFile

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

ROWS_AT_ONCE = 1000


@final
@dataclass(frozen=True)
class HubRows(RowFile):
    """Some rows of a split; an offset is how many of them lie before."""

    rows: "Dataset | IterableDataset"
    columns: dict[str, Column]
    """Those that are read, by the options that name them; dots lead into columns of records."""
    name: str
    """How errors name the rows, such as ``user/set split train``."""
    files: tuple[str, ...]
    """Those to take fingerprints of; an address names its version itself."""

    def read(self, start: Offset = ()) -> Iterator[tuple[Record | InputError, Offset]]:
        """See :class:`RowFile`."""
        (number,) = start or (0,)
        remedy = "check the files or the network, and go on with resume=true"
        with telling(f"{self.name} behind row {number}", remedy):
            rows = self.rows.skip(number).with_format("arrow")
            for table in rows.iter(batch_size=ROWS_AT_ONCE):
                columns = self._columns(table)
                for row in zip(*columns.values(), strict=True):
                    number += 1
                    values = dict(zip(columns, row, strict=True))
                    yield Record(f"{self.name} row {number}", values), (number,)

    def fingerprints(self) -> dict[str, Fingerprint]:
        """See :class:`RowFile`."""
        return {file: {} if "://" in file else file_fingerprint(Path(file)) for file in self.files}

    def _columns(self, table: pa.Table) -> dict[Column, list[Any]]:
        """Return the values of each column."""
        while any(pa.types.is_struct(field.type) for field in table.schema):
            table = table.flatten()
        values: dict[Column, list[Any]] = {}
        for option, column in self.columns.items():
            if column not in table.column_names:
                raise InputError(
                    f"{self.name} has no column `{column}` (its columns are "
                    f"{', '.join(table.column_names)}); set dataset.{option} to one of them."
                )
            self._check_kind(table.column(column).type, option, column)
            values[column] = table.column(column).to_pylist()
        return values

    def _check_kind(self, kind: pa.DataType, option: str, column: Column) -> None:
        """Refuse a column of texts that holds something else."""
        item = kind
        if option.startswith("references") and (
            pa.types.is_list(kind) or pa.types.is_large_list(kind)
        ):
            item = kind.value_type
        texts = option in ("source", "target") or option.startswith("references")
        fits = pa.types.is_string(item) or pa.types.is_large_string(item) or pa.types.is_null(item)
        if texts and not fits:
            raise InputError(
                f"The column `{column}` of {self.name} must hold text, but holds {kind}; set "
                f"dataset.{option} to another."
            )
