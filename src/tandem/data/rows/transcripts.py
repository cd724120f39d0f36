"""LibriSpeech's transcripts: ``*.trans.txt`` beside the recordings of each chapter."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tandem.core.errors import InputError
from tandem.data.rows.base import Column, Record
from tandem.data.text_files import read_lines


def read_transcripts(folder: Path) -> Iterator[Record]:
    """Yield a row for each line ``name TEXT``: columns ``file``, ``text`` and ``speaker``."""
    lists = sorted(folder.glob("*/*/*.trans.txt"))
    if not lists:
        raise InputError(
            f"The folder {folder} must have files such as 84/121123/84-121123.trans.txt, but has "
            "none; correct dataset.data_dir, or unset it and TANDEM_DATA to use the Hub."
        )
    for path in lists:
        for number, line in enumerate(read_lines(path, strip=False), start=1):
            name, _, text = line.partition(" ")
            file = str(path.relative_to(folder).with_name(f"{name}.flac"))
            values: dict[Column, Any] = {"file": file, "text": text, "speaker": path.parts[-3]}
            yield Record(f"{path} line {number}", values)
