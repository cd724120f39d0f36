"""LibriSpeech: read books, 1,000 hours, 16 kHz, Panayotov et al. (2015)."""

from pathlib import Path

from datasets import DatasetDict, concatenate_datasets

from tandem.core.errors import InputError
from tandem.data.datasets.base import SPLITS, check_splits, resolve_data_dir
from tandem.data.datasets.folders import FileEntry, make_file_splits
from tandem.data.datasets.recordings import hub_recordings, listed_entries
from tandem.data.text_files import read_lines

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
    *, data_dir: str | None, train: str, validation: str, test: str, on_bad_example: str
) -> DatasetDict:
    """Load parts of the set, from disk if a folder is known, else from the Hub.

    Texts are lowercased, as the set writes capitals only.

    :param data_dir: the folder ``LibriSpeech`` with ``train-clean-100`` and others in it.
    :param train: a part, or several joined by ``+``, such as ``train-clean-100+train-clean-360``.
    :param validation: the same for validation.
    :param test: the same for test.
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
        return _from_hub(chosen, on_bad_example)
    return make_file_splits(
        {
            split: [
                entry
                for part in names.split("+")
                for entry in _read_part(folder / part, on_bad_example)
            ]
            for split, names in chosen.items()
        }
    )


def _read_part(folder: Path, on_bad_example: str) -> list[FileEntry]:
    """Return the entries of a part: transcripts stand in ``speaker/chapter/*.trans.txt``."""
    lists = sorted(folder.glob("*/*/*.trans.txt"))
    if not lists:
        raise InputError(
            f"The folder {folder} must have files such as 84/121123/84-121123.trans.txt, but has "
            "none; correct dataset.data_dir, or unset it and TANDEM_DATA to use the Hub."
        )
    rows = []
    for path in lists:
        for number, line in enumerate(read_lines(path, strip=True), start=1):
            name, _, text = line.partition(" ")
            rows.append((path.parent / f"{name}.flac", text.lower(), f"{path} line {number}"))
    return listed_entries(rows, on_bad_example=on_bad_example)


def _from_hub(chosen: dict[str, str], on_bad_example: str) -> DatasetDict:
    """Return the parts from the Hub."""
    return check_splits(
        DatasetDict(
            {
                split: concatenate_datasets(
                    [
                        hub_recordings(
                            HUB, *PARTS[part], "text", lowercase=True, on_bad_example=on_bad_example
                        )
                        for part in names.split("+")
                    ]
                )
                for split, names in chosen.items()
            }
        )
    )
