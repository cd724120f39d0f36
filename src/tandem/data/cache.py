"""Work that is done once: trained tokenizers and tokenised splits, kept by their content."""

import hashlib
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from tandem.core.files import replacing
from tandem.data.ragged import Ragged

logger = logging.getLogger(__name__)


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


def keep(write: Callable[[], None], path: Path) -> None:
    """Put something into the cache, which is a convenience: without it work goes on."""
    try:
        write()
    except OSError as error:
        logger.warning("Could not write %s (%s); going on without the cache", path, error)


def save_columns(path: Path, columns: dict[str, Ragged]) -> None:
    """Write columns of ids as an Arrow file."""
    import pyarrow as pa  # using a model needs no Arrow

    lists = {
        name: pa.LargeListArray.from_arrays(pa.array(ids.offsets), pa.array(ids.values))
        for name, ids in columns.items()
    }
    table = pa.table(lists)
    with replacing(path) as part, pa.ipc.new_file(str(part), table.schema) as writer:
        writer.write_table(table, max_chunksize=max(1, len(table)))


def load_columns(path: Path) -> dict[str, Ragged]:
    """Map an Arrow file into memory; raises OSError or ValueError if it is unusable."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_file(source).read_all()
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    return {
        name: Ragged(
            column.values.to_numpy(zero_copy_only=True),
            column.offsets.to_numpy(zero_copy_only=True),
        )
        for name, column in columns.items()
    }
