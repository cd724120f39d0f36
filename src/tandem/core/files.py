"""Files that are never seen half-written under their names."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def unused_name(path: Path) -> Path:
    """A hidden name beside a path that nothing has yet.

    What is made under it has the rights that the umask leaves, which ``tempfile`` takes away.
    """
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside a path, which takes its place once all is written and vanishes otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = unused_name(path)
    part.touch(exist_ok=False)
    try:
        yield part
        os.replace(part, path)
    except BaseException:
        part.unlink()
        raise


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is never seen half-written under its name."""
    with replacing(path) as part:
        part.write_bytes(content)
