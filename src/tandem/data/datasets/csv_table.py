"""Comma-, tab- or otherwise separated values."""

from pathlib import Path

from datasets import DatasetDict

from tandem.data.datasets.base import folder_or_file
from tandem.data.datasets.texts import load_texts
from tandem.data.layouts import FileLayout
from tandem.data.rows import Column
from tandem.data.rows.table import TAB_SEPARATED, TableFile
from tandem.data.rows.table_options import table_format
from tandem.data.splitting import Part, Splitting
from tandem.data.stream import StreamedSplits
from tandem.data.text_columns import References, TextColumns

ANY = ""
ENDINGS = ((".csv", *TAB_SEPARATED), (".txt",), (ANY,))
TAB_ENDINGS = (TAB_SEPARATED, (".txt",), (".csv",), (ANY,))
"""How names of files end that may be tables, the likely ones first."""


def csv_table(
    *,
    data_dir: str,
    train: str,
    validation: Part,
    test: Part | None,
    split_column: Column | None,
    seed: int,
    source: Column,
    target: Column | None,
    references: References,
    group: Column | None,
    strip: bool,
    delimiter: str | None,
    quote: str | None,
    header: bool | str,
    rest: str,
    comment: str | None,
    streaming: bool,
    on_bad_example: str,
) -> DatasetDict | StreamedSplits:
    r"""Load tables, one example a row.

    Columns go by their names in the first row, or by their numbers from 0 on.

    :param data_dir: the folder of the files, or a file.
    :param train: the training file's name, such as ``train.csv``, also ``train.csv.gz``; a pattern
        such as ``train-*.csv`` for several files; or ``auto``.
    :param validation: the same for validation, or a share of the training rows.
    :param test: the same for test; None: there is no test split.
    :param split_column: the column of the names of rows' splits, of which the three above are
        values then; None: there is none.
    :param seed: what shares are drawn from.
    :param source: the source column.
    :param target: the target column; None: each reference is a target.
    :param references: a column of further acceptable outputs, several, or ``by_source``.
    :param group: the column of what rows that stay in one split have in common.
    :param strip: whether whitespace at the ends of texts is removed.
    :param delimiter: what stands between columns; ``\t`` is a tab. None: a tab in files whose
        names end with ``.tsv`` or ``.tab``, else a comma.
    :param quote: the character around fields that contain the delimiter, None, or ``auto``: none
        in tab-separated files, else ``"``.
    :param header: whether the first row has names; ``auto``: if columns are chosen by name.
    :param rest: of longer rows: ``error``, ``join`` the rest with the last column that is asked
        for, or ``drop`` it.
    :param comment: what lines begin with that are passed by.
    :param streaming: read the training pairs as a stream.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    columns = TextColumns(
        source=source,
        target=target,
        references=references,
        group=group,
        split=split_column,
        strip=strip,
    )
    form = table_format(
        columns.all,
        delimiter=delimiter,
        quote=quote,
        header=header,
        rest=rest,
        comment=comment,
    )
    splitting = Splitting(train=train, validation=validation, test=test, seed=seed)

    def open_table(path: Path) -> TableFile:
        return TableFile(path, form)

    endings = TAB_ENDINGS if form.is_tab else ENDINGS
    layout = FileLayout(*folder_or_file(data_dir), endings, columns, open_table)
    return load_texts(layout, splitting, streaming=streaming, on_bad_example=on_bad_example)
