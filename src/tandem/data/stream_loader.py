"""Batches of a stream: shuffled and sorted by length within a buffer, resumable at any batch."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import torch

from tandem.core.errors import InputError
from tandem.core.types import Batch
from tandem.data.batching import Budget, Encoded, plan_batches, rank_batch
from tandem.data.columns import Rows
from tandem.data.prefetching import batches_ahead, one_ahead
from tandem.data.rows import Offset
from tandem.data.stream import Example, Stream

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Position:
    """Where a buffer begins, and what of the epoch lies before it."""

    epoch: int
    place: Offset = ()
    """In the stream."""
    pairs: int = 0
    """All that are no bad examples."""
    too_long: int = 0
    """Of the pairs."""
    bad: int = 0
    first_bad: str = ""
    """What is wrong with the first of them."""


@dataclass(frozen=True)
class Buffer:
    """Pairs that lie in memory together, and their batches."""

    start: Position
    end: Position
    encoded: Encoded
    plan: list[Rows]


class StreamLoader:
    """Endless epochs of a stream; while one buffer is used, a thread reads the next one.

    The order of an epoch follows from the seed and the epoch's number alone, not from how many
    ranks there are: each of n ranks reads everything and takes every n-th row of every batch, so
    that all have equally many without asking each other.

    An epoch's end is not known before it is reached, so Lightning asks for one batch more than it
    has used, unless ``trainer.limit_train_batches`` ends the epoch.

    :param stream: the pairs.
    :param encode: turns sources and targets into numbers, and leaves out what is too long.
    :param budget: how much fits into a batch.
    :param buffer_size: how many pairs are shuffled and sorted together.
    :param seed: orders shards and batches.
    :param device: where batches are used.
    :param asked_ahead: whether the batch that was handed out last counts as unused.
    """

    def __init__(
        self,
        stream: Stream,
        encode: Callable[[list[str], list[str]], Encoded],
        budget: Budget,
        *,
        buffer_size: int,
        seed: int,
        rank: int,
        world_size: int,
        device: torch.device,
        asked_ahead: bool,
    ) -> None:
        self.stream, self.encode, self.budget = stream, encode, budget
        self.buffer_size, self.seed = buffer_size, seed
        self.rank, self.world_size, self.device = rank, world_size, device
        self.asked_ahead = asked_ahead
        self._start = Position(epoch=0)
        self._batch = 0

    def __iter__(self) -> Iterator[Batch]:
        """What remains of the epoch, or all of the next one if nothing does."""
        batch = None
        for batch in self._rest():
            yield batch
        if batch is None:
            yield from self._rest()

    def _rest(self) -> Iterator[Batch]:
        first, end = self._batch, self._start
        for buffer in one_ahead(self._buffers(self._start)):
            end = buffer.end
            batches = map(partial(self._batch_of, buffer), buffer.plan[first:])
            for place, batch in enumerate(batches_ahead(batches, self.device), start=first):
                self._start, self._batch = buffer.start, place + (not self.asked_ahead)
                yield batch
            first = 0
        if end.pairs == end.too_long:
            raise InputError(
                f"The stream has nothing to train on: {_told(end)}; correct the files, or raise "
                "data.max_source_length and data.max_target_length."
            )
        if self.rank == 0:
            logger.info("Epoch %d of the stream: %s", end.epoch, _told(end))
        self._start, self._batch = Position(epoch=end.epoch + 1), 0

    def _batch_of(self, buffer: Buffer, chosen: Rows) -> Batch:
        return rank_batch(buffer.encoded, chosen, self.rank, self.world_size)

    def state_dict(self) -> dict[str, Any]:
        """Where the first unused batch stands."""
        return {**asdict(self._start), "batch": self._batch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where :meth:`state_dict` was called."""
        start = dict(state)
        self._batch = start.pop("batch")
        self._start = Position(**start)

    def _buffers(self, start: Position) -> Iterator[Buffer]:
        """All buffers of an epoch from one on."""
        order = np.random.default_rng([self.seed, start.epoch]).permutation(len(self.stream.shards))
        examples = self.stream.read(order.tolist(), start.place)
        while True:
            taken: list[Example] = []
            place = start.place
            for example, behind in islice(examples, self.buffer_size):
                taken.append(example)
                place = behind
            if not taken:
                return
            buffer = self._buffer(start, taken, place)
            yield buffer
            start = buffer.end

    def _buffer(self, start: Position, taken: list[Example], place: Offset) -> Buffer:
        """Make a buffer of examples, behind which the stream goes on at a place."""
        pairs = [example for example in taken if not isinstance(example, InputError)]
        bad = [example for example in taken if isinstance(example, InputError)]
        encoded = self.encode([source for source, _ in pairs], [target for _, target in pairs])
        encoded = replace(encoded, rows=encoded.rows + start.pairs)
        rng = np.random.default_rng([self.seed, start.epoch, start.pairs + start.bad])
        plan = plan_batches(encoded, self.budget, rng=rng) if len(encoded) else []
        end = replace(
            start,
            place=place,
            pairs=start.pairs + len(pairs),
            too_long=start.too_long + len(pairs) - len(encoded),
            bad=start.bad + len(bad),
            first_bad=start.first_bad or next(map(str, bad), ""),
        )
        return Buffer(start, end, encoded, plan)


def _told(end: Position) -> str:
    """What an epoch had, for the log."""
    bad = f"; skipped {end.bad:,} bad ones, the first: {end.first_bad}" if end.bad else ""
    return f"{end.pairs:,} pairs; left out {end.too_long:,} of them for length{bad}"
