"""Work that is done once: trained tokenizers and tokenised splits, kept by their content."""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from tandem.data.ragged import Ragged


def cache_folder() -> Path:
    """``$TANDEM_CACHE``, or ``~/.cache/tandem``."""
    return Path(os.environ.get("TANDEM_CACHE") or "~/.cache/tandem").expanduser()


def content_key(*parts: str | Iterable[str]) -> str:
    """A name that changes whenever any of the texts does."""
    digest = hashlib.sha256()
    for part in parts:
        for text in (part,) if isinstance(part, str) else part:
            raw = text.encode()
            digest.update(len(raw).to_bytes(8, "little"))
            digest.update(raw)
        digest.update(b"|")
    return digest.hexdigest()[:32]


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is never seen half-written under its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def save_columns(path: Path, columns: dict[str, Ragged]) -> None:
    """Write columns of ids as an Arrow file."""
    table = pa.table({name: column.to_arrow() for name, column in columns.items()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=max(1, len(table)))
    write_atomically(path, sink.getvalue())


def load_columns(path: Path) -> dict[str, Ragged]:
    """Map an Arrow file into memory; raises OSError or ArrowInvalid if it is unusable."""
    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_file(source).read_all()
    return {
        name: Ragged.from_arrow(table.column(name).combine_chunks()) for name in table.column_names
    }
