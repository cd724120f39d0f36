"""Free Spoken Digit Dataset: ten digits, six speakers, 50 recordings of each, 8 kHz."""

import re

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import SPLITS, check_on_bad_example, resolve_data_dir
from tandem.data.datasets.folders import FileEntry, make_file_splits

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
    check_on_bad_example(on_bad_example)
    folder = resolve_data_dir(data_dir, "fsdd")
    if folder is None:
        raise InputError(
            "The dataset fsdd is not downloaded by itself; get it with `git clone "
            "https://github.com/Jakobovski/free-spoken-digit-dataset` and set dataset.data_dir to "
            "that folder, or TANDEM_DATA to the folder that has it under the name fsdd."
        )
    splits: dict[str, list[FileEntry]] = {split: [] for split in SPLITS}
    for path in sorted(folder.rglob("*.wav")):
        match = NAME.fullmatch(path.name)
        if match is not None:
            entry = FileEntry(path, [DIGITS[int(match[1])]], str(path))
            splits[_split(int(match[3]))].append(entry)
        elif on_bad_example == "error":
            raise InputError(
                f"The name of {path} must be such as 7_jackson_32.wav: the digit, the speaker and "
                "the number of the recording; rename or remove it, or set data.on_bad_example=skip."
            )
    return make_file_splits(splits)


def _split(recording: int) -> str:
    """Return the split of a recording's number."""
    if recording < TEST_END:
        return "test"
    return "validation" if recording < VALIDATION_END else "train"
