"""Common Voice: sentences read by volunteers in many languages, MP3, Ardila et al. (2020)."""

from pathlib import Path

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import SPLITS, check_splits, resolve_data_dir
from tandem.data.datasets.folders import FileEntry, make_file_splits, read_records
from tandem.data.datasets.recordings import hub_recordings, listed_entries

PARTS = {"train": "train", "validation": "dev", "test": "test"}
COLUMNS = ("path", "sentence")


def common_voice(
    *, data_dir: str | None, path: str, language: str, on_bad_example: str
) -> DatasetDict:
    """Load a language, from disk if a folder is known, else from the Hub.

    :param data_dir: an unpacked archive such as ``cv-corpus-22.0-2025-06-20``, which has a folder
        for the language with ``train.tsv``, ``dev.tsv``, ``test.tsv`` and ``clips``.
    :param path: a copy of the set on the Hub, used where no folder is known.
    :param language: the set's code for it, such as ``en`` or ``zh-CN``.
    :param on_bad_example: ``error``, or ``skip`` rows without a sentence or file.
    """
    folder = resolve_data_dir(data_dir, "common_voice")
    if folder is not None:
        place = folder / language if (folder / language).is_dir() else folder
        return make_file_splits(
            {split: _read(place, name, on_bad_example) for split, name in PARTS.items()}
        )
    return check_splits(
        DatasetDict(
            {
                split: hub_recordings(
                    path,
                    language,
                    split,
                    "sentence",
                    lowercase=False,
                    on_bad_example=on_bad_example,
                )
                for split in SPLITS
            }
        )
    )


def _read(folder: Path, name: str, on_bad_example: str) -> list[FileEntry]:
    """Return the entries of a table ``train.tsv``, whose files stand in ``clips``."""
    table = folder / f"{name}.tsv"
    if not table.is_file():
        raise InputError(
            f"The file {table} does not exist; correct dataset.data_dir or dataset.language, or "
            "unset dataset.data_dir and TANDEM_DATA to use the Hub."
        )
    rows = []
    for place, record in read_records(table, delimiter="\t"):
        for column in COLUMNS:
            if column not in record:
                raise InputError(
                    f"{place} has no column `{column}` (its columns are {', '.join(record)}); "
                    "take the table of an unpacked archive as it is."
                )
        rows.append((folder / "clips" / record["path"], record["sentence"].strip(), place))
    return listed_entries(rows, on_bad_example=on_bad_example)
