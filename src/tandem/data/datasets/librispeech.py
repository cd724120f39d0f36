"""LibriSpeech: read books, 1,000 hours, 16 kHz, Panayotov et al. (2015)."""

from pathlib import Path

from datasets import DatasetDict, concatenate_datasets

from tandem.core.errors import InputError
from tandem.data.datasets.base import SPLITS, check_splits, resolve_data_dir
from tandem.data.datasets.file_splits import make_file_splits, read_entries
from tandem.data.datasets.hub_recordings import hub_recordings
from tandem.data.file_columns import FileColumns
from tandem.data.file_tables import Table
from tandem.data.rows import WholeFile
from tandem.data.rows.transcripts import read_transcripts

HUB = "openslr/librispeech_asr"
PARTS = {
    "train-clean-100": ("clean", "train.100"),
    "train-clean-360": ("clean", "train.360"),
    "train-other-500": ("other", "train.500"),
    "dev-clean": ("clean", "validation"),
    "dev-other": ("other", "validation"),
    "test-clean": ("clean", "test"),
    "test-other": ("other", "test"),
}
"""The set's parts, and their configurations and splits on the Hub."""


def librispeech(
    *,
    data_dir: str | None,
    train: str,
    validation: str,
    test: str,
    strip: bool,
    on_bad_example: str,
) -> DatasetDict:
    """Load parts of the set, from disk if a folder is known, else from the Hub.

    Texts are lowercased, as the set writes capitals only.

    :param data_dir: the folder ``LibriSpeech`` with ``train-clean-100`` and others in it.
    :param train: a part, or several joined by ``+``, such as ``train-clean-100+train-clean-360``.
    :param validation: the same for validation.
    :param test: the same for test.
    :param strip: whether whitespace at the ends of transcripts is removed.
    :param on_bad_example: ``error``, or ``skip`` rows without a transcript or file.
    """
    chosen = dict(zip(SPLITS, (train, validation, test), strict=True))
    for split, names in chosen.items():
        for part in names.split("+"):
            if part not in PARTS:
                raise InputError(
                    f"dataset.{split} ({names}) must be one of {', '.join(PARTS)}, or several "
                    "joined by +."
                )
    folder = resolve_data_dir(data_dir, "LibriSpeech")
    if folder is None:
        return _from_hub(chosen, strip, on_bad_example)
    columns = FileColumns(fixed=True, file="file", target="text", strip=strip, lowercase=True)
    return make_file_splits(
        {
            split: read_entries(
                [_part(folder / part) for part in names.split("+")],
                columns,
                folder,
                on_bad_example=on_bad_example,
            )
            for split, names in chosen.items()
        }
    )


def _part(folder: Path) -> Table:
    return Table(folder.name, WholeFile(folder, read_transcripts), [folder])


def _from_hub(chosen: dict[str, str], strip: bool, on_bad_example: str) -> DatasetDict:
    """Return the parts from the Hub."""
    return check_splits(
        DatasetDict(
            {
                split: concatenate_datasets(
                    [
                        hub_recordings(
                            HUB,
                            *PARTS[part],
                            "text",
                            lowercase=True,
                            strip=strip,
                            on_bad_example=on_bad_example,
                        )
                        for part in names.split("+")
                    ]
                )
                for split, names in chosen.items()
            }
        )
    )
