"""A bundle's files: plain ones of a bounded size, inside its folder, as they were written."""

import hashlib
import os
import stat
from io import BufferedReader
from pathlib import Path

from tandem.core.errors import InputError, reason_of

AGAIN = "take the bundle from its run again."
CONFIG = "config.json"
MEBIBYTE = 2**20
LARGEST_JSON = 64 * MEBIBYTE
"""Most bytes of a file of that kind; a tokenizer of 250,000 symbols takes a quarter of them."""


class BundleFiles:
    """The files of a bundle's folder, by their paths from there.

    :param folder: where they are.
    :param digests: the SHA-256 of each, once they are known.
    """

    def __init__(self, folder: Path, digests: dict[str, str] | None = None) -> None:
        self.folder, self.digests = folder, digests

    def open(self, name: str) -> BufferedReader:
        """Open a file.

        :raises InputError: if it is missing, is no plain file, or is a link out of the folder.
        """
        path = self.folder / name
        if not path.exists():
            raise InputError(f"The bundle's file {path} is missing; {AGAIN}")
        target = path.resolve()
        if self.folder.resolve() not in target.parents:
            raise InputError(
                f"The bundle's file {path} is a link to {target}, outside of the bundle; if you "
                "trust that file, put a copy of it in the link's place."
            )
        try:
            descriptor = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise InputError(
                f"The bundle's file {path} cannot be read ({reason_of(error)}); {AGAIN}"
            ) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # such as a pipe, which would wait
            os.close(descriptor)
            raise InputError(f"The bundle's file {path} is no plain file; {AGAIN}")
        return os.fdopen(descriptor, "rb")

    def read(self, name: str) -> bytes:
        """All of a file that is as it was written.

        :raises InputError: as :meth:`open`, and if it is too large or damaged.
        """
        with self._opened(name) as file:
            content = file.read()
        if self.digests is not None:
            self._check(name, hashlib.sha256(content).hexdigest())
        return content

    def path(self, name: str) -> Path:
        """Where a file is that is as it was written; raises InputError as :meth:`read`."""
        with self._opened(name) as file:
            self._check(name, hashlib.file_digest(file, "sha256").hexdigest())
        return self.folder / name

    def _opened(self, name: str) -> BufferedReader:
        file = self.open(name)
        size = os.fstat(file.fileno()).st_size
        most = LARGEST_JSON if name.endswith(".json") else memory_size()
        if size > most:
            file.close()
            raise InputError(
                f"The bundle's file {self.folder / name} has {size:,} bytes, but at most {most:,} "
                "are read; don't use this bundle."
            )
        return file

    def _check(self, name: str, digest: str) -> None:
        if digest != (self.digests or {}).get(name):
            raise InputError(
                f"The bundle's file {self.folder / name} is damaged: its SHA-256 is not the one in "
                f"{CONFIG}; {AGAIN}"
            )


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file in a folder, by its path from there."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found[path.relative_to(folder).as_posix()] = digest
    return found


def memory_size() -> int:
    """Bytes of memory that this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
