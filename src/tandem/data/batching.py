"""Batches of similar lengths under a budget of padded tokens, the same for the same seed."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS, Batch
from tandem.data.columns import Rows, SourceColumn
from tandem.data.memories import Memories
from tandem.data.prefetching import batches_ahead
from tandem.data.ragged import Ragged

BATCHES_AN_EPOCH = 50
LEAST_ROWS = 16
MOST_TOKENS = 4096


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much fits into one batch; padding counts."""

    max_tokens: int | None
    """Most target symbols, ``eos`` included: rows x longest target. None: see :meth:`fitted`."""
    max_source_tokens: int | None
    """Most source symbols, ``eos`` included, or vectors: rows x longest source; None likewise."""
    max_sentences: int | None
    """Most rows; no limit if None."""

    def __post_init__(self) -> None:
        for name in ("max_tokens", "max_source_tokens", "max_sentences"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"`batching.{name}` must be at least 1, but is {value}.")

    def fitted(self, train: "Encoded | None") -> "Budget":
        """With numbers in place of what is left open, as a training split wants them.

        An epoch gets some 50 batches, as far as a batch then has 16 average rows, or else fewer,
        and no more than 4,096 symbols.

        :param train: None for one whose size is not known; then a batch has 4,096 symbols.
        """

        def tokens(given: int | None, lengths: Callable[[Encoded], Rows]) -> int:
            if given is not None or train is None:
                return given or MOST_TOKENS
            rows = max(LEAST_ROWS, len(train) / BATCHES_AN_EPOCH)
            return min(MOST_TOKENS, math.ceil(rows * float(lengths(train).mean())))

        return replace(
            self,
            max_tokens=tokens(self.max_tokens, lambda split: split.target.lengths + 1),
            max_source_tokens=tokens(
                self.max_source_tokens, lambda split: split.source.padded_lengths
            ),
        )


@dataclass(frozen=True)
class Encoded:
    """A split in numbers; targets without ``bos`` and ``eos``."""

    source: SourceColumn
    target: Ragged
    rows: Rows
    """For each example its row in the split; several versions of an example share one."""
    memories: Memories | None = None
    """What a frozen encoder has made of the sources; None: each batch has them read."""

    def __len__(self) -> int:
        return len(self.rows)

    def taken(self, chosen: Rows) -> "Encoded":
        """Only some examples."""
        return Encoded(
            self.source.take(chosen),
            self.target.take(chosen),
            self.rows[chosen],
            None if self.memories is None else self.memories.take(chosen),
        )

    def collate(self, chosen: Rows) -> Batch:
        """Make a batch of some examples."""
        source, source_mask = self.source.batch(chosen)
        target_in, target_mask = self.target.padded(
            chosen, before=SPECIAL_IDS.bos, after=None, pad=SPECIAL_IDS.pad
        )
        target_out, _ = self.target.padded(
            chosen, before=None, after=SPECIAL_IDS.eos, pad=SPECIAL_IDS.pad
        )
        return Batch.of(
            source=source,
            source_mask=source_mask,
            target_in=target_in,
            target_out=target_out,
            target_mask=target_mask,
            indices=torch.from_numpy(self.rows[chosen]),
            memory=None if self.memories is None else self.memories.batch(chosen, source),
        )


def plan_batches(
    encoded: Encoded, budget: Budget, *, rng: np.random.Generator | None
) -> list[Rows]:
    """Sort by length and cut into batches.

    :param rng: shuffles examples of equal lengths and the batches; None keeps a fixed order.
    :return: rows of each batch.
    """
    source_lengths, target_lengths = encoded.source.padded_lengths, encoded.target.lengths + 1
    ties = rng.permutation(len(encoded)) if rng is not None else np.arange(len(encoded))
    order = np.lexsort((ties, source_lengths, target_lengths))
    cuts = _cuts(source_lengths[order], target_lengths[order], budget)
    batches = np.split(order, cuts)
    if rng is not None:
        batches = [batches[place] for place in rng.permutation(len(batches))]
    return batches


def _cuts(source_lengths: Rows, target_lengths: Rows, budget: Budget) -> list[int]:
    """Where new batches begin; a single example may exceed the budget alone."""
    cuts: list[int] = []
    start, longest_source, longest_target = 0, 0, 0
    most = budget.max_sentences or len(source_lengths)
    most_target, most_source = budget.max_tokens or math.inf, budget.max_source_tokens or math.inf
    pairs = zip(source_lengths.tolist(), target_lengths.tolist(), strict=True)
    for place, (source, target) in enumerate(pairs):
        longest_source, longest_target = max(longest_source, source), max(longest_target, target)
        rows = place - start + 1
        if rows > 1 and (
            rows > most
            or rows * longest_target > most_target
            or rows * longest_source > most_source
        ):
            cuts.append(place)
            start, longest_source, longest_target = place, source, target
    return cuts


START = {"epoch": 0, "position": 0}


def rank_batch(encoded: Encoded, rows: Rows, rank: int, world_size: int) -> Batch:
    """One rank's share of a batch; of too few rows for all, each rank takes all of them."""
    share = rows[rank::world_size] if len(rows) >= world_size else rows
    symbols = int((encoded.target.lengths_of(rows) + 1).sum())
    return encoded.collate(share)._replace(total_symbols=symbols)


class TrainingLoader:
    """Endless epochs of shuffled batches, resumable at any batch.

    The order of an epoch follows from the seed and the epoch's number alone, not from how many
    ranks there are: each of n ranks takes every n-th row of every batch.

    :param examples: gives an epoch's examples, by its number.
    :param device: where batches are used.
    :param state: where to begin, as :meth:`state_dict` gives it; ``START`` for the first batch.
    """

    def __init__(
        self,
        examples: Callable[[int], Encoded],
        budget: Budget,
        *,
        seed: int,
        rank: int,
        world_size: int,
        device: torch.device,
        state: dict[str, Any],
    ) -> None:
        self.examples, self.budget, self.seed = examples, budget, seed
        self.rank, self.world_size, self.device = rank, world_size, device
        self.load_state_dict(state)

    def __len__(self) -> int:
        return len(self._plan)

    def __iter__(self) -> Iterator[Batch]:
        if self.position >= len(self._plan):  # Lightning takes the last batch and never asks on
            self.load_state_dict(self.state_dict())
        rest = (
            rank_batch(self._encoded, chosen, self.rank, self.world_size)
            for chosen in self._plan[self.position :]
        )
        for batch in batches_ahead(rest, self.device):
            self.position += 1  # before the batch is used: a saved state points behind it
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """Where the next batch stands."""
        at_end = self.position >= len(self._plan)
        return {
            "epoch": self.epoch + at_end,
            "position": 0 if at_end else self.position,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where :meth:`state_dict` was called."""
        self.epoch, self.position = state["epoch"], state["position"]
        self._encoded = self.examples(self.epoch)
        self._plan = self._plan_epoch()

    def _plan_epoch(self) -> list[Rows]:
        rng = np.random.default_rng([self.seed, self.epoch])
        return plan_batches(self._encoded, self.budget, rng=rng)


class EvaluationLoader:
    """Every example once, in batches of similar lengths.

    Ranks get disjoint batches, the same ones that a single rank would have, and equally many: a
    rank for which none is left over gets one without rows.
    """

    def __init__(
        self,
        encoded: Encoded,
        budget: Budget,
        *,
        rank: int,
        world_size: int,
        device: torch.device,
    ) -> None:
        self.encoded, self.device = encoded, device
        batches = plan_batches(encoded, budget, rng=None)
        missing = -len(batches) % world_size
        self._plan = [*batches, *[np.arange(0)] * missing][rank::world_size]

    def __len__(self) -> int:
        return len(self._plan)

    def __iter__(self) -> Iterator[Batch]:
        return batches_ahead(map(self.encoded.collate, self._plan), self.device)
