"""A training split that is read from its files, shard by shard, and never held as a whole."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.fingerprints import Fingerprint
from tandem.data.rows import Offset, RowFile
from tandem.data.text_columns import TextColumns

Example = tuple[str, str] | InputError
"""A source and its target, or what is wrong with them."""


@dataclass(frozen=True)
class Shard:
    """One part of a stream, such as a file."""

    rows: RowFile
    columns: TextColumns

    def read(self, start: Offset) -> Iterator[tuple[Example, Offset]]:
        """Yield the examples from an offset on, each with the offset behind it.

        :raises InputError: if the shard breaks off; a single bad example is yielded instead.
        """
        pair = self.columns.pair
        for record, behind in self.rows.read(start):
            yield record if isinstance(record, InputError) else pair(record), behind


@dataclass(frozen=True)
class Stream:
    """Shards, read again in each epoch."""

    shards: Sequence[Shard]
    skip_bad: bool
    """Whether bad examples are left out instead of stopping the run."""

    def read(self, order: Sequence[int], start: Offset) -> Iterator[tuple[Example, Offset]]:
        """Yield the examples that remain, each with the place behind it.

        :param order: of the shards.
        :param start: a number in that order, and behind it the place in that shard.
        :raises InputError: for a bad example, unless they are skipped.
        """
        first, *inside = start or (0,)
        for number in range(first, len(order)):
            for example, place in self.shards[order[number]].read(tuple(inside)):
                if isinstance(example, InputError) and not self.skip_bad:
                    raise example
                yield example, (number, *place)
            inside = []

    def fingerprints(self) -> dict[str, Fingerprint]:
        """Those of all shards."""
        return {
            name: fingerprint
            for shard in self.shards
            for name, fingerprint in shard.rows.fingerprints().items()
        }

    def sample(self, size: int) -> Iterator[tuple[str, str]]:
        """Yield at most so many pairs, equally many from the start of each shard."""
        each = -(-size // len(self.shards))
        for number in range(len(self.shards)):
            examples = (example for example, _ in self.read([number], ()))
            pairs = (example for example in examples if not isinstance(example, InputError))
            yield from islice(pairs, each)


@dataclass(frozen=True, kw_only=True)
class StreamOptions:
    """How much of a stream lies in memory at once."""

    buffer_size: int
    """So many pairs are shuffled and sorted by length together."""
    sample_size: int
    """Tokenizers learn from so many pairs."""

    def __post_init__(self) -> None:
        for name in ("buffer_size", "sample_size"):
            if getattr(self, name) < 1:
                raise InputError(
                    f"`stream.{name}` must be at least 1, but is {getattr(self, name)}."
                )


@dataclass(frozen=True)
class StreamedSplits:
    """Splits of which only those for evaluation lie in memory."""

    train: Stream
    held_out: DatasetDict
    """Validation and test."""
