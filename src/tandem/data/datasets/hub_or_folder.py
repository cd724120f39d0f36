"""Sets that are public on the Hub, and that many users already have on disk."""

from pathlib import Path

import datasets
from datasets import DatasetDict

from tandem.data.compressed import find_file
from tandem.data.datasets.base import SPLITS, resolve_data_dir
from tandem.data.datasets.hub import hub
from tandem.data.datasets.texts import load_texts
from tandem.data.layouts import FileLayout
from tandem.data.rows.json_objects import open_json
from tandem.data.rows.table import TableFile, TableFormat
from tandem.data.splitting import AUTO, Splitting
from tandem.data.stream import StreamedSplits
from tandem.data.text_columns import TextColumns


def hub_or_folder(
    *,
    folder: str,
    path: str,
    name: str | None,
    revision: str | None,
    source: str,
    target: str,
    data_dir: str | None,
    strip: bool,
    streaming: bool,
    on_bad_example: str,
) -> DatasetDict | StreamedSplits:
    """Load a set from disk if it is there, else from the Hub.

    :param folder: the set's folder inside the folder of sets that ``TANDEM_DATA`` names.
    :param path: its name on the Hub, such as ``abisee/cnn_dailymail``.
    :param name: its configuration there, or None; a folder needs none.
    :param revision: the branch of the Hub's repository, or None for its main one.
    :param source: the source column.
    :param target: the target column.
    :param data_dir: a folder with ``train``, ``validation`` and ``test`` as ``.jsonl``, ``.csv``
        (with the columns' names in the first row) or ``.parquet``, or a copy of the repository.
    :param strip: whether whitespace at the ends of texts is removed.
    :param streaming: read the training pairs as a stream.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    columns = TextColumns(source=source, target=target, strip=strip)
    place = resolve_data_dir(data_dir, folder)
    for ending, open_file in READERS.items():
        if place is not None and find_file(place / f"train{ending}") is not None:
            files = {split: f"{split}{ending}" for split in ("train", "validation")}
            return load_texts(
                FileLayout(place, None, [[ending]], columns, open_file),
                Splitting(seed=0, test=AUTO, **files),
                streaming=streaming,
                on_bad_example=on_bad_example,
            )
    if place is not None:
        path, name, revision = str(place), _declared(place, name), None
    return hub(
        path=path,
        name=name,
        revision=revision,
        source=source,
        target=target,
        references=None,
        group=None,
        split_column=None,
        strip=strip,
        seed=0,
        streaming=streaming,
        on_bad_example=on_bad_example,
        **{split: split for split in SPLITS},
    )


def _open_table(path: Path) -> TableFile:
    return TableFile(path, TableFormat())


READERS = {".jsonl": open_json, ".csv": _open_table}
"""What reads files of rows, by their endings."""


def _declared(folder: Path, name: str | None) -> str | None:
    """Return the configuration if the folder has several: then it is a copy of the repository."""
    try:
        return name if name in datasets.get_dataset_config_names(str(folder)) else None
    except (OSError, ValueError):
        return None  # loading says what is wrong with the folder
