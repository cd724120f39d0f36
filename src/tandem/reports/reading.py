"""Files of a run's folder, whatever lies under their names: content within bounds, or a reason."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tandem.core.errors import reason_of

YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

SMALL = 2 * 2**20
"""Bytes of a config or a record; real ones have some thousands."""
MAX_NODES = 50_000
"""Values of a config or a record, each counted as often as aliases repeat it."""
MAX_DEPTH = 50
"""Levels of a config or a record."""
TOO_LARGE = f"it has more than {MAX_NODES:,} values or {MAX_DEPTH} levels"


class UnreadableError(Exception):
    """A file that cannot be used; the text is the reason."""


def read_bytes(path: Path, limit: int) -> bytes:
    """The content of a regular file; pipes and devices, which may never end, are not opened.

    :param limit: the most bytes that are read.
    :raises UnreadableError: if it is something else, has more bytes or cannot be read.
    :raises FileNotFoundError: if nothing has this name.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("it is not a file")
        content = b""
        if status.st_size <= limit:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:
                content = file.read(limit + 1)
    except FileNotFoundError:
        if path.is_symlink():
            raise UnreadableError("it is a link to nothing") from None
        raise
    except OSError as error:
        raise UnreadableError(reason_of(error)) from error
    if max(status.st_size, len(content)) > limit:
        raise UnreadableError(f"it has more than {limit / 2**20:.0f} MB")
    return content


def read_text(path: Path, limit: int) -> str:
    """Like :func:`read_bytes`, of a file in UTF-8."""
    try:
        return read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"it is not a text in UTF-8: {error.reason}") from error


def read_yaml(path: Path) -> dict[str, Any]:
    """A mapping in YAML; see :func:`read_bytes` for the errors."""
    return _mapping(path, _load_yaml)


def _load_yaml(text: str) -> Any:
    depth = 0
    for event in yaml.parse(text, YAML_LOADER):  # as the loader in C overflows its stack
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise UnreadableError(TOO_LARGE)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return yaml.load(text, YAML_LOADER)


def read_json(path: Path) -> dict[str, Any]:
    """A mapping in JSON; see :func:`read_bytes` for the errors."""
    return _mapping(path, json.loads)


def _mapping(path: Path, parse: Callable[[str], Any]) -> dict[str, Any]:
    text = read_text(path, SMALL)
    try:
        content = parse(text)
    except Exception as error:  # parsers raise whatever their code meets in a damaged file
        raise UnreadableError(reason(error)) from error
    if not isinstance(content, dict):
        raise UnreadableError("it is not a mapping")
    _check_size(content)
    return content


def _check_size(content: Any) -> None:
    """Refuse what is too large once aliases are followed, or holds itself."""
    nodes, waiting = 0, [(content, 1)]
    while waiting:
        value, depth = waiting.pop()
        nodes += 1
        if nodes > MAX_NODES or depth > MAX_DEPTH:
            raise UnreadableError(TOO_LARGE)
        if isinstance(value, dict):
            waiting += [(one, depth + 1) for one in value.values()]
        elif isinstance(value, list | tuple | set):
            waiting += [(one, depth + 1) for one in value]


def reason(error: Exception) -> str:
    """An error's text in one line, without the stop at its end."""
    return reason_of(error)[:300]
