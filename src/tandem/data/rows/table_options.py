"""How tables are read, by the options of a dataset."""

from collections.abc import Mapping

from tandem.core.errors import InputError
from tandem.data.rows.base import Column
from tandem.data.rows.table import AUTO, TableFormat


def table_format(
    columns: Mapping[str, Column],
    *,
    delimiter: str | None,
    quote: str | None,
    header: bool | str,
    rest: str,
    comment: str | None,
) -> TableFormat:
    """Return the format of tables whose columns are named, or go by their numbers.

    :param columns: all columns that are read, by the options that name them.
    :param header: whether the first row has names; ``auto``: if columns are chosen by name.
    :param rest: of longer rows: ``error``, ``join`` the rest with the last of the columns that are
        read, or ``drop`` it; the other options are those of :class:`TableFormat`.
    :raises InputError: for names beside numbers, and names where there are none.
    """
    numbers = [column for column in columns.values() if isinstance(column, int)]
    if numbers and len(numbers) < len(columns):
        chosen = ", ".join(f"dataset.{option}={column}" for option, column in columns.items())
        raise InputError(
            f"{chosen} must all be column names, or all be numbers, as of files without a row of "
            "names."
        )
    if not numbers and header is False:
        option, name = next(iter(columns.items()))
        raise InputError(
            f"dataset.{option} ({name}) is a name, but with dataset.header=false columns have "
            "none; give numbers from 0 on, or set dataset.header=true."
        )
    return TableFormat(
        delimiter=delimiter,
        quote=quote,
        header=not numbers if header == AUTO else bool(header),
        numbered=bool(numbers),
        rest=rest,
        width=max(numbers) + 1 if numbers and rest != "error" else None,
        comment=comment,
    )
