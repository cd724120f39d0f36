"""JSON: one object a line (JSON Lines), or one array of objects."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from tandem.core.errors import InputError, reason_of
from tandem.data.fingerprints import Fingerprint, file_fingerprint
from tandem.data.rows.base import Offset, Record, RowFile, WholeFile
from tandem.data.text_files import read_text, stream_lines


def open_json(path: Path) -> RowFile:
    """Return what reads a file, whose first character says which of the two it is."""
    for line, _ in stream_lines(path, strip=True):
        if line:
            is_array = isinstance(line, str) and line.startswith("[")
            return WholeFile(path, _read_array) if is_array else JsonLinesFile(path)
    return JsonLinesFile(path)


@final
@dataclass(frozen=True)
class JsonLinesFile(RowFile):
    """One object a line; an offset is a byte, and how many lines lie before."""

    path: Path

    def read(self, start: Offset = ()) -> Iterator[tuple[Record | InputError, Offset]]:
        """See :class:`RowFile`."""
        offset, before = start or (0, 0)
        lines = stream_lines(self.path, strip=False, offset=offset, number=before)
        label = f"{self.path} line "
        for number, (line, behind) in enumerate(lines, start=before + 1):
            if isinstance(line, InputError):
                yield line, (behind, number)
            elif line and not line.isspace():
                yield _record(line, f"{label}{number}"), (behind, number)

    def fingerprints(self) -> dict[str, Fingerprint]:
        """See :class:`RowFile`."""
        return {str(self.path): file_fingerprint(self.path)}


class _RepeatedKeyError(ValueError):
    """An object has some keys more than once, of which JSON readers take one or the other."""


def _record(line: str, place: str) -> Record | InputError:
    """Return the object of a line, or what is wrong with it."""
    try:
        value = DECODER.decode(line)
    except _RepeatedKeyError as error:
        return InputError(
            f"{place} has an object with the key {error} more than once; keep one, or rename them."
        )
    except ValueError as error:
        return InputError(
            f"{place} is not JSON ({reason_of(error)}); each line must be one whole object, or "
            "the file one array of objects."
        )
    return _checked(value, place, suspect="\\u" in line)


def _read_array(path: Path) -> Iterator[Record | InputError]:
    """Yield the objects of a file that is one array."""
    text = read_text(path)
    try:
        values = DECODER.decode(text)
    except _RepeatedKeyError as error:
        raise InputError(
            f"The file {path} has an object with the key {error} more than once; keep one, or "
            "rename them."
        ) from error
    except ValueError as error:
        raise InputError(
            f"The file {path} begins with [ but is not one JSON array ({reason_of(error)}); "
            "correct it, or write one object a line."
        ) from error
    for number, value in enumerate(values, start=1):
        yield _checked(value, f"{path} object {number}", suspect="\\u" in text)


def _checked(value: Any, place: str, *, suspect: bool) -> Record | InputError:
    """Return a value as a row, or what is wrong if it is no object of characters.

    :param suspect: whether it may have halves of surrogate pairs.
    """
    if not isinstance(value, dict):
        return InputError(
            f"{place} must be a JSON object with keys, but is a {type(value).__name__}; each row "
            "must be one whole object."
        )
    if suspect:
        for key, one in value.items():
            try:
                json.dumps(one, ensure_ascii=False).encode("utf-8")
            except UnicodeEncodeError as error:
                return InputError(
                    f"The value of `{key}` at {place} has half of a surrogate pair "
                    f"({error.object[error.start]!r}), which is no character; correct the line."
                )
    return Record(place, value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs, of which no two have one key."""
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        several = sorted({key for key in keys if keys.count(key) > 1})
        raise _RepeatedKeyError(" and ".join(f"`{key}`" for key in several))
    return values


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=str, parse_float=str)
"""Reads numbers as they are written."""
