"""Free Spoken Digit Dataset: ten digits, six speakers, 50 recordings of each, 8 kHz."""

import re
from collections.abc import Iterator
from pathlib import Path

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import SPLITS, resolve_data_dir
from tandem.data.datasets.file_splits import make_file_splits, read_entries
from tandem.data.file_columns import FileColumns
from tandem.data.file_tables import Table
from tandem.data.rows import Record, WholeFile

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NAME = re.compile(r"(\d)_(\w+)_(\d+)\.wav")
TEST_END, VALIDATION_END = 5, 10
"""Recordings 0-4 are the official test split; ours for validation are 5-9."""


def fsdd(*, data_dir: str | None, on_bad_example: str) -> DatasetDict:
    """Load the set: the target is the digit's English word.

    Recordings 0 to 4 of each digit and speaker are the test split, as its authors say, 5 to 9 the
    validation split; all six speakers are in each.

    :param data_dir: folder with files such as ``recordings/7_jackson_32.wav`` at any depth.
    :param on_bad_example: ``error``, or ``skip`` WAV files whose name is no such one.
    """
    folder = resolve_data_dir(data_dir, "fsdd")
    if folder is None:
        raise InputError(
            "The dataset fsdd is not downloaded by itself; get it with `git clone "
            "https://github.com/Jakobovski/free-spoken-digit-dataset` and set dataset.data_dir to "
            "that folder, or TANDEM_DATA to the folder that has it under the name fsdd."
        )
    columns = FileColumns(fixed=True, file="file", target="word", split="split")
    table = Table(folder.name, WholeFile(folder, _read), [folder])
    entries = read_entries([table], columns, folder, on_bad_example=on_bad_example)
    return make_file_splits(
        {split: [entry for entry in entries if entry.split == split] for split in SPLITS}
    )


def _read(folder: Path) -> Iterator[Record | InputError]:
    """Yield a row for each WAV file, made of its name."""
    for path in sorted(folder.rglob("*.wav")):
        match = NAME.fullmatch(path.name)
        if match is None:
            yield InputError(
                f"The name of {path} must be such as 7_jackson_32.wav: the digit, the speaker and "
                "the number of the recording; rename or remove it, or set data.on_bad_example=skip."
            )
        else:
            word, split = DIGITS[int(match[1])], _split(int(match[3]))
            name = str(path.relative_to(folder))
            yield Record(str(path), {"file": name, "word": word, "split": split})


def _split(recording: int) -> str:
    """Return the split of a recording's number."""
    if recording < TEST_END:
        return "test"
    return "validation" if recording < VALIDATION_END else "train"
