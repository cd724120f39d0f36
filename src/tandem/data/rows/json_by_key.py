"""SpeechBrain's JSON: one object that has an object for each utterance, by its identity."""

from collections.abc import Iterator
from pathlib import Path

from tandem.core.errors import InputError
from tandem.data.rows.base import Record
from tandem.data.rows.json_values import read_json


def read_json_by_key(path: Path) -> Iterator[Record]:
    """Yield a row for each object; the key it stands under is the column ``ID``."""
    content = read_json(path)
    if not isinstance(content, dict) or not all(isinstance(row, dict) for row in content.values()):
        raise InputError(
            f"The file {path} must be one JSON object that has an object for each example; get the "
            "whole file."
        )
    for key, row in content.items():
        yield Record(f"{path} object {key}", {"ID": key, **row})
