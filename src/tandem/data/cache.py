"""Work that is done once: trained tokenizers, tokenised splits and the like, kept by content.

Each file ends with a seal, its length and a checksum, so that a damaged one is made again.
"""

import hashlib
import logging
import mmap
import os
import shutil
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tandem.core.files import remove_dead_parts, replacing
from tandem.core.lines import utf8
from tandem.data.ragged import Ragged

logger = logging.getLogger(__name__)

SEAL = struct.Struct("<8sQQI")
"""Mark, bytes before the seal, how many of them at their start have no checksum, CRC-32."""
MARK = b"tandem-1"
CHUNK = 1 << 24


class Cached(NamedTuple):
    """A file of the cache, mapped into memory."""

    unchecked: memoryview
    """The bytes at its start that have no checksum; usually none."""
    checked: memoryview


@dataclass
class CachedPart:
    """A file of the cache while it is written."""

    file: BinaryIO
    unchecked: int = 0
    """So many bytes at its start are too many for a checksum; only their number is checked."""


def cache_folder() -> Path:
    """``$TANDEM_CACHE``, or ``~/.cache/tandem``."""
    return Path(os.environ.get("TANDEM_CACHE") or "~/.cache/tandem").expanduser()


def content_key(*parts: str | Iterable[str]) -> str:
    """A name that changes whenever any of the texts does."""
    digest = hashlib.sha256()
    for part in parts:
        for text in (part,) if isinstance(part, str) else part:
            raw = utf8(text)
            digest.update(len(raw).to_bytes(8, "little"))
            digest.update(raw)
        digest.update(b"|")
    return digest.hexdigest()[:32]


@contextmanager
def cached_part(path: Path) -> Iterator[CachedPart]:
    """A file that takes its place in the cache, sealed, once all is written.

    Processes that write the same file at once do not disturb each other: one of the whole files
    stays, and what another process has mapped stays readable.
    """
    if path.is_dir():
        shutil.rmtree(path)
    remove_dead_parts(path.parent)
    with replacing(path) as name, name.open("w+b") as file:
        part = CachedPart(file)
        yield part
        length = file.seek(0, os.SEEK_END)
        file.seek(part.unchecked)
        checksum = 0
        while chunk := file.read(CHUNK):
            checksum = zlib.crc32(chunk, checksum)
        file.write(SEAL.pack(MARK, length, part.unchecked, checksum))


def keep(path: Path, content: bytes) -> None:
    """Put a file into the cache, which is a convenience: without it work goes on."""
    keep_part(path, lambda part: part.file.write(content))


def keep_part(path: Path, write: Callable[[CachedPart], object]) -> None:
    """The same for a file that is written bit by bit."""
    try:
        with cached_part(path) as part:
            write(part)
    except OSError as error:
        logger.warning("Could not write %s (%s); continuing without the cache", path, error)


def read_cached(path: Path) -> Cached | None:
    """Map a file of the cache; None if it is not there, or damaged, which the log says."""
    try:
        if not path.is_file():
            os.stat(path)
            raise ValueError("it is no file")
        return _unsealed(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        logger.warning("The cached file %s is damaged (%s); making it again", path, error)
        return None


def _unsealed(path: Path) -> Cached:
    """Map what lies before the seal; raises ValueError if it is not what was sealed."""
    with path.open("rb") as file:
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    if len(whole) < SEAL.size:
        raise ValueError(f"it has {len(whole)} bytes")
    mark, length, unchecked, checksum = SEAL.unpack(whole[-SEAL.size :])
    content = whole[: -SEAL.size]
    if mark != MARK or length != len(content) or unchecked > length:
        raise ValueError("its end is missing")
    if zlib.crc32(content[unchecked:]) != checksum:
        raise ValueError("its checksum is another one")
    return Cached(content[:unchecked], content[unchecked:])


def keep_columns(path: Path, columns: dict[str, Ragged]) -> None:
    """Put columns of ids into the cache, as an Arrow file."""
    import pyarrow as pa  # using a model needs no Arrow

    lists = {
        name: pa.LargeListArray.from_arrays(pa.array(ids.offsets), pa.array(ids.values))
        for name, ids in columns.items()
    }
    table = pa.table(lists)

    def write(part: CachedPart) -> None:
        with pa.ipc.new_file(part.file, table.schema) as writer:
            writer.write_table(table, max_chunksize=max(1, len(table)))

    keep_part(path, write)


def read_columns(path: Path) -> dict[str, Ragged] | None:
    """Map columns of ids; see :func:`read_cached`."""
    import pyarrow as pa

    cached = read_cached(path)
    if cached is None:
        return None
    table = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(cached.checked))).read_all()
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    return {
        name: Ragged(
            column.values.to_numpy(zero_copy_only=True),
            column.offsets.to_numpy(zero_copy_only=True),
        )
        for name, column in columns.items()
    }
