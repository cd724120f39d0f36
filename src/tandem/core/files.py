"""Files that are never seen half-written under their names, and folders that nobody else has."""

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

from tandem.core.lines import utf8

PART = re.compile(r"\.(.+)\.[0-9a-f]{8}")
"""Names that :func:`unused_name` gives."""


def unused_name(path: Path) -> Path:
    """A hidden name beside a path that nothing has yet.

    What is made under it has the rights that the umask leaves, which ``tempfile`` takes away.
    """
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside a path, which takes its place once all is written and vanishes otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _open_part(path) as file:
        part = Path(file.name)
        try:
            yield part
            os.replace(part, path)
        except BaseException:
            part.unlink()
            raise


def _open_part(path: Path) -> BinaryIO:
    """A new file beside a path, locked as a sign that its writer lives."""
    while True:
        part = unused_name(path)
        file = part.open("xb")
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        if part.exists():
            return file
        file.close()  # it was taken for a dead one before it had its lock


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is never seen half-written under its name."""
    with replacing(path) as part:
        part.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """The same with text, in UTF-8."""
    write_atomically(path, utf8(text))


def give_usual_rights(path: Path) -> None:
    """Give a file of a library's the rights that the umask leaves to a new one."""
    sample = unused_name(path)
    sample.touch(exist_ok=False)
    path.chmod(stat.S_IMODE(sample.stat().st_mode))
    sample.unlink()


def keep_a_copy(path: Path, copy: Path) -> None:
    """Let a file stay under a second name while its own is given to another one; costs no room.

    Where a file cannot have two names, it gives up its first one.
    """
    part = unused_name(copy)
    try:
        os.link(path, part)
    except OSError:
        os.replace(path, copy)
    else:
        os.replace(part, copy)
        part.unlink(missing_ok=True)  # renaming one name of a file to another does nothing


def remove_dead_parts(folder: Path) -> None:
    """Remove what killed writers left in a folder and the folders directly in it."""
    for path in (*folder.glob(".*"), *folder.glob("*/.*")):
        if PART.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            with suppress(OSError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def make_new_folder(path: Path) -> Path:
    """Make a folder that was not there: at the path, or with -2, -3 ... behind its name."""
    for number in count(1):
        folder = path if number == 1 else path.with_name(f"{path.name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise AssertionError("there is always another number")
