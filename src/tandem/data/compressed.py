"""Files of text that may be compressed: gzip (``.gz``) and Zstandard (``.zst``), by their names."""

import errno
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

CHUNK = 1 << 20


class NotWholeError(OSError):
    """A compressed file that is damaged or cut; ``strerror`` says how."""


def _open_zstd(path: Path) -> BinaryIO:
    import pyarrow as pa  # using a model needs no Arrow

    return io.BufferedReader(pa.input_stream(str(path), compression="zstd"))


def _open_gzip(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb"))


def _open_plain(path: Path) -> BinaryIO:
    return path.open("rb")


KINDS = {".gz": "gzip", ".zst": "Zstandard"}
OPENERS: dict[str, Callable[[Path], BinaryIO]] = {".gz": _open_gzip, ".zst": _open_zstd}


@contextmanager
def open_text(path: Path, offset: int = 0) -> Iterator[BinaryIO]:
    """Open the content of a file, which may be compressed.

    :param offset: the byte of the content to begin with; what lies before is read, too, if the file
        is compressed.
    :raises OSError: if it cannot be read, also while it is read; NotWholeError if it is damaged.
    """
    opener = OPENERS.get(path.suffix)
    try:
        with (opener or _open_plain)(path) as file:
            if opener is None:
                file.seek(offset)
            else:
                _skip(file, offset)
            yield file
    except (EOFError, zlib.error, OSError) as error:
        if opener is None or (isinstance(error, OSError) and error.errno is not None):
            raise
        raise NotWholeError(errno.EIO, str(error), str(path)) from error


def _skip(file: BinaryIO, count: int) -> None:
    while count > 0:
        read = len(file.read(min(count, CHUNK)))
        if not read:
            return
        count -= read


def plain_suffix(path: Path) -> str:
    """How a file's name ends without the ending of its compression."""
    return (path.with_suffix("") if path.suffix in OPENERS else path).suffix


def find_file(path: Path) -> Path | None:
    """The file of this name, or of this name and the ending of a compression; None: there is none.

    What is not compressed comes first.
    """
    names = (path.name + ending for ending in ("", *OPENERS))
    return next((file for name in names if (file := path.with_name(name)).is_file()), None)
