"""The cache of tokens: each column of texts is tokenised once, and then mapped from disk."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from tandem.core.printing import progress
from tandem.data.cache import cache_folder, content_key, keep_columns, read_columns
from tandem.data.ragged import Ragged
from tandem.data.tokenizers.tokenizer import Tokenizer

if TYPE_CHECKING:
    from datasets import Dataset

TEXTS_AT_ONCE = 1000
"""The tokenizer's threads share so many; with more it gets slower, as its results are large."""


def batches_of(split: "Dataset", column: str) -> Iterator[list[str]]:
    """The texts of a column, some at once."""
    return (batch[column] for batch in split.select_columns([column]).iter(TEXTS_AT_ONCE))


def encode_texts(tokenizer: Tokenizer, texts: list[str]) -> Ragged:
    """Turn texts into ids."""
    starts = range(0, len(texts), TEXTS_AT_ONCE)
    return _encode(tokenizer, (texts[start : start + TEXTS_AT_ONCE] for start in starts))


class EncodedColumn(NamedTuple):
    """Texts as ids."""

    ids: Ragged
    digest: str
    """Changes with any of the texts."""


def encode_column(tokenizer: Tokenizer, split: "Dataset", column: str, name: str) -> EncodedColumn:
    """Turn a column of texts into ids, or map them from the cache.

    :param name: of the split, for the progress bar.
    """
    digest = content_key(chain.from_iterable(batches_of(split, column)))
    path = cache_folder() / "encoded" / f"{content_key(tokenizer.to_json(), digest)}.arrow"
    columns = read_columns(path)
    if columns is not None:
        return EncodedColumn(columns["ids"], digest)
    batches = progress(
        batches_of(split, column),
        f"Tokenising {name} {column}s",
        total=-(-len(split) // TEXTS_AT_ONCE),
    )
    ids = _encode(tokenizer, batches)
    keep_columns(path, {"ids": ids})
    return EncodedColumn(ids, digest)


def _encode(tokenizer: Tokenizer, batches: Iterable[list[str]]) -> Ragged:
    return Ragged.joined([Ragged.from_lists(tokenizer.encode_batch(batch)) for batch in batches])
