"""Fingerprints of data: what tells a split or a shard from a changed one, at little cost."""

import hashlib
from pathlib import Path
from typing import TypeAlias

import numpy as np

from tandem.core.errors import InputError, reason_of

Fingerprint: TypeAlias = dict[str, str | int]
"""Facts by name, to be compared one by one, as they stand in JSON."""
BLOCK = 1 << 16
BLOCKS = 16
"""Of a file so many blocks are read, at equal distances; they cover up to 1 MiB wholly."""


def file_fingerprint(path: Path) -> Fingerprint:
    """Size and content of a file; of the content of a large one some blocks.

    :raises InputError: if it cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            for start in np.linspace(0, max(0, size - BLOCK), BLOCKS).astype(int):
                file.seek(start)
                digest.update(file.read(BLOCK))
    except OSError as error:
        raise InputError(
            f"The file {path} cannot be read ({reason_of(error)}); check the path and its "
            "permissions."
        ) from error
    return {"bytes": size, "content": digest.hexdigest()}


def differences(before: Fingerprint, now: Fingerprint, count: str) -> str:
    """What of two fingerprints differs, as the end of a sentence; empty if nothing does.

    :param count: the fact that is a number, and its unit.
    """
    numbers = [before.get(count, 0), now.get(count, 0)]
    if numbers[0] != numbers[1]:
        return f"had {_written(numbers[0])} {count} and has {_written(numbers[1])} now"
    others = [name for name in before | now if before.get(name) != now.get(name)]
    if not others:
        return ""
    return f"has {_written(numbers[1])} {count} as before, but not the same {' and '.join(others)}"


def _written(fact: str | int) -> str:
    return f"{fact:,}" if isinstance(fact, int) else fact
