"""Content that may be compressed: its first bytes say so, and how, not its name."""

import bz2
import errno
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, cast

CHUNK = 1 << 20
ENDINGS = (".gz", ".zst", ".xz", ".bz2")
"""What such files' names end with; a name without it is completed by :func:`find_file`."""


class NotWholeError(OSError):
    """Compressed content that is damaged or cut; ``strerror`` says how, ``kind`` of which kind."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(errno.EIO, reason)
        self.kind = kind


def _gunzipped(file: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=file, mode="rb"))


def _unzstd(file: BinaryIO) -> BinaryIO:
    import pyarrow as pa  # using a model needs no Arrow

    return io.BufferedReader(pa.input_stream(file, compression="zstd"), CHUNK)


def _unpacked_bz2(file: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, bz2.BZ2File(file))


def _unpacked_xz(file: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, lzma.LZMAFile(file))


MARKS: dict[bytes, tuple[str, Callable[[BinaryIO], BinaryIO]]] = {
    b"\x1f\x8b": ("gzip", _gunzipped),
    b"\x28\xb5\x2f\xfd": ("Zstandard", _unzstd),
    b"\x50\x2a\x4d\x18": ("Zstandard", _unzstd),  # a frame of notes, which pzstd begins with
    **{
        b"BZh%c%s" % (digit, block): ("bzip2", _unpacked_bz2)
        for digit in b"123456789"
        for block in (b"1AY&", b"\x17rE8")  # of content, and the end
    },
    b"\xfd7zXZ\0": ("xz", _unpacked_xz),
}
"""How compressed content begins, which no text does."""
LONGEST_MARK = max(map(len, MARKS))


@contextmanager
def open_content(file: Path | BinaryIO) -> Iterator[BinaryIO]:
    """Open a file or what a pipe goes on with, decompressed.

    :raises OSError: if it cannot be read, also while it is read; NotWholeError if it is damaged.
    """
    kind = ""
    try:
        with file.open("rb") if isinstance(file, Path) else nullcontext(file) as raw:
            head = raw.read(LONGEST_MARK)
            whole = _put_back(head, raw)
            for mark, (kind_of_mark, decompressed) in MARKS.items():
                if head.startswith(mark):
                    kind, whole = kind_of_mark, decompressed(whole)
            yield whole
    except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        if not kind or (isinstance(error, OSError) and error.errno is not None):
            raise
        raise NotWholeError(kind, str(error)) from error


class _Rest(io.RawIOBase):
    """Some bytes that were read, and then what follows them."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self.head, self.rest = head, rest

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer with what there is, without waiting for more."""
        content = self.head or self.rest.read1(len(buffer))  # type: ignore[attr-defined]
        count = min(len(content), len(buffer))
        buffer[:count], self.head = content[:count], content[count:]
        return count


def _put_back(head: bytes, file: BinaryIO) -> BinaryIO:
    """The same content from before the bytes that were read of it."""
    if file.seekable():
        file.seek(-len(head), io.SEEK_CUR)
        return file
    return io.BufferedReader(_Rest(head, file), CHUNK)


def skip(content: BinaryIO, count: int) -> None:
    """Pass by so many bytes, or what there is of them."""
    if content.seekable():
        content.seek(count, io.SEEK_CUR)
        return
    while count > 0:
        read = len(content.read(min(count, CHUNK)))
        if not read:
            return
        count -= read


def plain_suffix(path: Path) -> str:
    """How a file's name ends without the ending of its compression."""
    return (path.with_suffix("") if path.suffix in ENDINGS else path).suffix


def find_file(path: Path) -> Path | None:
    """The file of this name, or of this name and the ending of a compression; None: there is none.

    What is not compressed comes first.
    """
    names = (path.name + ending for ending in ("", *ENDINGS))
    return next((file for name in names if (file := path.with_name(name)).is_file()), None)
