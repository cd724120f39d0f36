"""A training split that is read from its files, shard by shard, and never held as a whole."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.fingerprints import Fingerprint

Example = tuple[str, str] | InputError
"""A source and its target, or what is wrong with them."""
Place = tuple[int, ...]
"""Where a shard goes on: bytes, lines or rows, as the shard likes; empty at its start."""


class Shard(ABC):
    """One part of a stream, such as a file."""

    @abstractmethod
    def read(self, start: Place) -> Iterator[tuple[Example, Place]]:
        """Yield the examples from a place on, each with the place behind it.

        :raises InputError: if the shard breaks off; a single bad example is yielded instead.
        """

    @abstractmethod
    def fingerprints(self) -> dict[str, Fingerprint]:
        """What changes with its content, by the names of its files; cheap, so not the whole of it.

        :raises InputError: if a file cannot be read.
        """


@dataclass(frozen=True)
class Stream:
    """Shards, read again in each epoch."""

    shards: Sequence[Shard]
    skip_bad: bool
    """Whether bad examples are left out instead of stopping the run."""

    def read(self, order: Sequence[int], start: Place) -> Iterator[tuple[Example, Place]]:
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
            for name, fingerprint in shard.fingerprints().items()
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


def make_pair(source: str, target: str, source_place: str, target_place: str) -> Example:
    """Return a pair of texts, or what is wrong if one of them is empty."""
    for side, text, place in (("source", source, source_place), ("target", target, target_place)):
        if not text.strip():
            return InputError(
                f"The {side} at {place} is empty, but every example needs a source and a target; "
                "correct the file or set dataset.on_bad_example=skip."
            )
    return source, target
