"""A key of this user's on this machine, by which what they made is told from what they were given.

It lies in ``$XDG_CONFIG_HOME/tandem``, as a rule ``~/.config/tandem``, and never in what is passed
on.
"""

import hashlib
import hmac
import json
import logging
import os
import secrets
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

SIZE = 32
"""Bytes of the key."""


def key_path() -> Path:
    """Where the key lies."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "tandem" / "key"


def signature(data: Any) -> str | None:
    """What only who has the key can say of plain data; the first call makes the key.

    :return: None if no key can be kept, so that nothing made now is known later.
    """
    try:
        key = _read_key() or _make_key()
    except OSError as error:
        logger.warning(
            "Could not write %s (%s), so evaluate will ask for trust_dataset=true",
            key_path(),
            error,
        )
        return None
    return _hmac(key, data)


def is_signed(data: Any, signed: Any) -> bool:
    """Whether a signature is one that :func:`signature` gave for the same data here."""
    try:
        key = _read_key()
    except OSError:
        return False
    return key is not None and isinstance(signed, str) and _same(_hmac(key, data), signed)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode(errors="replace"))


def _hmac(key: bytes, data: Any) -> str:
    content = json.dumps(data, sort_keys=True).encode()
    return hmac.new(key, content, hashlib.sha256).hexdigest()


def _read_key() -> bytes | None:
    try:
        key = key_path().read_bytes()
    except FileNotFoundError:
        return None
    return key if len(key) == SIZE else None


def _make_key() -> bytes:
    """Write a new key, or read the one that another process has just written."""
    path = key_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    key, part = secrets.token_bytes(SIZE), path.with_name(f".key.{secrets.token_hex(8)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
        if _read_key() is None:
            path.unlink(missing_ok=True)  # a damaged one
        try:
            os.link(part, path)
        except FileExistsError:
            return _read_key() or key
    finally:
        part.unlink()
    return key
