"""One JSON file with all rows in it."""

import json
from pathlib import Path
from typing import Any

from tandem.core.errors import InputError, reason_of
from tandem.data.text_files import read_text


def read_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"The file {path} is not JSON ({reason_of(error)}); get it again."
        ) from error


def list_of(record: Any, key: str, place: object) -> list[Any]:
    """Return a list under a key."""
    values = value_of(record, key, place)
    if not isinstance(values, list):
        raise InputError(f"The key `{key}` at {place} must hold a list; correct the file.")
    return values


def value_of(record: Any, key: str, place: object) -> Any:
    """Return what stands under a key."""
    if not isinstance(record, dict) or key not in record:
        raise InputError(
            f"{place} has no key `{key}` where one is needed; check that the file is "
            "whole and has the layout that its keys say."
        )
    return record[key]
