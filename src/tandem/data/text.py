"""From texts to ids, and each column of a split only once: it is kept in the cache."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import pyarrow as pa
import rich
from datasets import Dataset
from rich.progress import track

from tandem.core.errors import InputError
from tandem.data.cache import cache_folder, content_key, keep, load_columns, save_columns
from tandem.data.columns import TextColumn
from tandem.data.ragged import Ragged
from tandem.data.tokenizers.tokenizer import Tokenizer

TEXTS_AT_ONCE = 1000
"""The tokenizer's threads share so many; with more it gets slower, as its results are large."""


def batches_of(split: Dataset, column: str) -> Iterator[list[str]]:
    """The texts of a column, some at once."""
    return (batch[column] for batch in split.select_columns([column]).iter(TEXTS_AT_ONCE))


def encode_texts(tokenizer: Tokenizer, texts: list[str]) -> Ragged:
    """Turn texts into ids."""
    starts = range(0, len(texts), TEXTS_AT_ONCE)
    return _encode(tokenizer, (texts[start : start + TEXTS_AT_ONCE] for start in starts))


def encode_column(tokenizer: Tokenizer, split: Dataset, column: str, name: str) -> Ragged:
    """Turn a column of texts into ids, or map them from the cache.

    :param name: of the split, for the progress bar.
    """
    texts = chain.from_iterable(batches_of(split, column))
    path = cache_folder() / "encoded" / f"{content_key(tokenizer.to_json(), texts)}.arrow"
    try:
        return load_columns(path)["ids"]
    except (OSError, pa.ArrowInvalid, KeyError):
        pass  # not there yet, or unreadable: make it again
    batches = track(
        batches_of(split, column),
        f"Tokenising {name} {column}s",
        total=-(-len(split) // TEXTS_AT_ONCE),
        transient=True,
        disable=not rich.get_console().is_terminal,
    )
    ids = _encode(tokenizer, batches)
    keep(lambda: save_columns(path, {"ids": ids}), path)
    return ids


def encode_sources(tokenizer: Tokenizer, texts: list[str], *, truncate: int | None) -> TextColumn:
    """Turn sources into ids.

    :param truncate: keep so many symbols of each source; None keeps all.
    :raises InputError: if a source has no symbols.
    """
    ids = encode_texts(tokenizer, texts)
    return _as_sources(ids, lambda row: f"The source {texts[row]!r}", truncate)


def encode_source_column(
    tokenizer: Tokenizer, split: Dataset, name: str, *, truncate: int | None
) -> TextColumn:
    """Turn the sources of a split into ids, as :func:`encode_sources` does.

    :param name: of the split, for errors.
    """
    ids = encode_column(tokenizer, split, "source", name)
    return _as_sources(ids, lambda row: f"Example {row + 1} of the {name} split", truncate)


def _as_sources(ids: Ragged, named: Callable[[int], str], truncate: int | None) -> TextColumn:
    empty = (ids.lengths == 0).nonzero()[0]
    if len(empty):
        raise InputError(
            f"{named(int(empty[0]))} has no source symbols after tokenising; remove it or choose "
            "another tokenizer."
        )
    return TextColumn(ids if truncate is None else ids.truncated(truncate))


def _encode(tokenizer: Tokenizer, batches: Iterable[list[str]]) -> Ragged:
    return Ragged.joined([Ragged.from_lists(tokenizer.encode_batch(batch)) for batch in batches])
