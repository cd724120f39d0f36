"""Common Voice: sentences read by volunteers in many languages, MP3, Ardila et al. (2020)."""

from dataclasses import replace
from pathlib import Path

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import check_splits, resolve_data_dir
from tandem.data.datasets.hub_recordings import hub_recordings
from tandem.data.datasets.media_files import load_files
from tandem.data.file_columns import FileColumns
from tandem.data.file_tables import FileTables
from tandem.data.splitting import AUTO, Part, Splitting

HUB_NAMES = {"dev": "validation"}
"""Splits that copies on the Hub call otherwise."""


def common_voice(
    *,
    data_dir: str | None,
    path: str,
    language: str,
    train: str,
    validation: Part,
    test: Part | None,
    seed: int,
    strip: bool,
    on_bad_example: str,
) -> DatasetDict:
    """Load a language, from disk if a folder is known, else from the Hub.

    :param data_dir: an unpacked archive such as ``cv-corpus-22.0-2025-06-20``, which has a folder
        for the language with ``train.tsv``, ``dev.tsv``, ``test.tsv`` and ``clips``.
    :param path: a copy of the set on the Hub, used where no folder is known.
    :param language: the set's code for it, such as ``en`` or ``zh-CN``.
    :param train: the name of a table without ``.tsv``, such as ``train`` or ``validated``.
    :param validation: the same for validation, or a share of the training recordings, whose
        speakers are in no other split.
    :param test: the same for test; None: there is no test split.
    :param seed: what the speakers of shares are drawn from.
    :param strip: whether whitespace at the ends of sentences is removed.
    :param on_bad_example: ``error``, or ``skip`` rows without a sentence or file.
    """
    splitting = Splitting(train=train, validation=validation, test=test, seed=seed)
    folder = resolve_data_dir(data_dir, "common_voice")
    if folder is None:
        return _from_hub(path, language, splitting, strip, on_bad_example)
    home = folder / language if (folder / language).is_dir() else folder
    columns = FileColumns(
        fixed=True, file="path", target="sentence", group="client_id", ending=".mp3", strip=strip
    )
    tables = replace(
        splitting,
        train=_table(train),
        validation=validation if isinstance(validation, float) else _table(validation),
        test=_table(test) if isinstance(test, str) else test,
    )
    return load_files(
        FileTables(home=home, folder="clips"), columns, tables, on_bad_example=on_bad_example
    )


def _table(name: str) -> str:
    """Return the name of a table."""
    return name if name == AUTO or Path(name).suffix == ".tsv" else f"{name}.tsv"


def _from_hub(
    path: str, language: str, splitting: Splitting, strip: bool, on_bad_example: str
) -> DatasetDict:
    if splitting.shares:
        split, share = next(iter(splitting.shares.items()))
        raise InputError(
            f"dataset.{split}={share} is a share of training recordings that lie in a folder; name "
            "the folder with dataset.data_dir, or a split of the Hub."
        )
    return check_splits(
        DatasetDict(
            {
                split: hub_recordings(
                    path,
                    language,
                    HUB_NAMES.get(name, name),
                    "sentence",
                    lowercase=False,
                    strip=strip,
                    on_bad_example=on_bad_example,
                )
                for split, name in splitting.names.items()
            }
        )
    )
