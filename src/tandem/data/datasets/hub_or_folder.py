"""Sets that are public on the Hub, and that many users already have on disk."""

from pathlib import Path

import datasets
from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import SPLITS, resolve_data_dir
from tandem.data.datasets.csv_table import csv_table
from tandem.data.datasets.hub import hub
from tandem.data.datasets.json_lines import json_lines
from tandem.data.stream import StreamedSplits


def hub_or_folder(
    *,
    folder: str,
    path: str,
    name: str | None,
    revision: str | None,
    source: str,
    target: str,
    data_dir: str | None,
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
    :param streaming: read the training pairs as a stream.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    columns = {"source": source, "target": target, "on_bad_example": on_bad_example}
    place = resolve_data_dir(data_dir, folder)
    if place is not None and (place / "train.jsonl").is_file():
        files = {split: f"{split}.jsonl" for split in SPLITS}
        return json_lines(
            data_dir=str(place), seed=0, references=None, streaming=streaming, **files, **columns
        )
    if place is not None and (place / "train.csv").is_file():
        if streaming:
            raise InputError(
                f"data.streaming=true cannot read the tables in {place}; turn them into .jsonl or "
                ".parquet files, or set data.streaming=false."
            )
        files = {split: f"{split}.csv" for split in SPLITS}
        return csv_table(data_dir=str(place), seed=0, delimiter=",", quote='"', **files, **columns)
    if place is not None:
        path, name, revision = str(place), _declared(place, name), None
    splits = {split: split for split in SPLITS}
    return hub(
        path=path,
        name=name,
        revision=revision,
        references=None,
        streaming=streaming,
        seed=0,
        **splits,
        **columns,
    )


def _declared(folder: Path, name: str | None) -> str | None:
    """Return the configuration if the folder has several: then it is a copy of the repository."""
    try:
        return name if name in datasets.get_dataset_config_names(str(folder)) else None
    except (OSError, ValueError):
        return None  # loading says what is wrong with the folder
