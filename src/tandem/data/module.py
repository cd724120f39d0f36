"""Loads a dataset, learns its tokenizers, and hands out batches."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pyarrow as pa
from datasets import Dataset, DatasetDict

from tandem.core.errors import InputError
from tandem.data.batching import Budget, Encoded, EvaluationLoader, TrainingLoader
from tandem.data.cache import (
    cache_folder,
    content_key,
    load_columns,
    save_columns,
    write_atomically,
)
from tandem.data.ragged import Ragged
from tandem.data.tokenizers.base import TokenizerRecipe
from tandem.data.tokenizers.tokenizer import Tokenizer

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LengthFilter:
    """Which training pairs are too long to learn from; evaluation keeps every pair."""

    max_source_length: int | None
    """Most source symbols, without ``eos``."""
    max_target_length: int | None
    """Most target symbols, without ``eos``."""

    def kept(self, source: Ragged, target: Ragged) -> np.ndarray:
        """Rows that stay."""
        keep = np.ones(len(source), dtype=bool)
        for column, most in (
            (source, self.max_source_length),
            (target, self.max_target_length),
        ):
            if most is not None:
                keep &= column.lengths <= most
        return keep.nonzero()[0]


@dataclass(frozen=True)
class Vocabularies:
    """The tokenizers of both sides; one object twice if they are shared."""

    source: Tokenizer
    target: Tokenizer

    @property
    def shared(self) -> bool:
        """Whether both sides have one vocabulary."""
        return self.source is self.target


class TextDataModule(L.LightningDataModule):
    """Text pairs, from a dataset function to batches of ids.

    :param load: returns the dataset with its splits train, validation and test.
    :param learn: returns the tokenizers, given the training split.
    :param length_filter: which training pairs are left out.
    :param budget: how much fits into a batch.
    :param overfit: if given, every split is this many pairs from the training split's start.
    :param seed: orders the batches.
    """

    def __init__(
        self,
        *,
        load: Callable[[], DatasetDict],
        learn: Callable[[Dataset], Vocabularies],
        length_filter: LengthFilter,
        budget: Budget,
        overfit: int | None,
        seed: int,
    ) -> None:
        super().__init__()
        self.load = load
        self.learn = learn
        self.length_filter = length_filter
        self.budget = budget
        self.overfit = overfit
        self.seed = seed
        self.splits: DatasetDict | None = None
        self.vocabularies: Vocabularies | None = None
        self._encoded: dict[str, Encoded] = {}
        self._loader: TrainingLoader | None = None
        self._resumed: dict[str, Any] | None = None

    def prepare(self) -> Vocabularies:
        """Load the splits, learn the tokenizers, and turn text into ids; once."""
        if self.splits is not None:
            assert self.vocabularies is not None
            return self.vocabularies
        self.splits = self.load()
        if self.overfit is not None:
            few = self.splits["train"].select(range(min(self.overfit, len(self.splits["train"]))))
            self.splits = DatasetDict({name: few for name in self.splits})
        self.vocabularies = self.learn(self.splits["train"])
        self._encoded = {name: self._encode(name, split) for name, split in self.splits.items()}
        train = self._filtered(self._encoded["train"])
        self._encoded["train"] = train
        sizes = ", ".join(f"{name} {len(encoded):,}" for name, encoded in self._encoded.items())
        logger.info(
            "Data: %s; vocabulary: %s",
            sizes,
            f"{self.vocabularies.target.vocabulary_size:,} shared"
            if self.vocabularies.shared
            else f"{self.vocabularies.source.vocabulary_size:,} source, "
            f"{self.vocabularies.target.vocabulary_size:,} target",
        )
        return self.vocabularies

    def encoded(self, split: str) -> Encoded:
        """A split as ids; raises InputError if there is no such split."""
        if split not in self._encoded:
            raise InputError(
                f"The split must be one of {', '.join(self._encoded)}, but is {split!r}."
            )
        return self._encoded[split]

    def longest_target(self) -> int:
        """Symbols of the longest training target, ``eos`` included."""
        return int(self.encoded("train").target.lengths.max()) + 1

    def sources(self, split: str, indices: list[int]) -> list[str]:
        """Source texts by their rows in the split."""
        return list(self._texts(split).select(indices)["source"][:])

    def references(self, split: str, indices: list[int]) -> list[list[str]]:
        """For each row of the split, the texts that count as right."""
        rows = self._texts(split).select(indices)
        if "references" in rows.column_names:
            return list(rows["references"][:])
        return [[target] for target in rows["target"][:]]

    def train_dataloader(self) -> TrainingLoader:
        """Shuffled batches of the training split, this rank's share."""
        rank, world_size = self._ranks()
        self._loader = TrainingLoader(
            self.encoded("train"), self.budget, seed=self.seed, rank=rank, world_size=world_size
        )
        if self._resumed is not None:
            self._loader.load_state_dict(self._resumed)
            self._resumed = None
        return self._loader

    def state_dict(self) -> dict[str, Any]:
        """Where the next training batch stands; Lightning restores it in mid-epoch only."""
        return self._loader.state_dict() if self._loader is not None else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let training go on where :meth:`state_dict` was called."""
        self._resumed = state_dict or None

    def val_dataloader(self) -> EvaluationLoader:
        """The validation split."""
        return self.evaluation_loader("validation")

    def test_dataloader(self) -> EvaluationLoader:
        """The test split."""
        return self.evaluation_loader("test")

    def evaluation_loader(self, split: str) -> EvaluationLoader:
        """Every example of a split once."""
        rank, world_size = self._ranks()
        return EvaluationLoader(self.encoded(split), self.budget, rank=rank, world_size=world_size)

    def _ranks(self) -> tuple[int, int]:
        if self.trainer is None:
            return 0, 1
        return self.trainer.global_rank, self.trainer.world_size

    def _texts(self, split: str) -> Dataset:
        assert self.splits is not None, "prepare() comes first"
        return self.splits[split]

    def _encode(self, name: str, split: Dataset) -> Encoded:
        assert self.vocabularies is not None
        columns = (
            _encoded_column(self.vocabularies.source, split, "source"),
            _encoded_column(self.vocabularies.target, split, "target"),
        )
        empty = (columns[0].lengths == 0).nonzero()[0]
        if len(empty):
            raise InputError(
                f"Example {empty[0] + 1} of the {name} split has no source symbols after "
                "tokenising; remove it or choose another tokenizer."
            )
        return Encoded(*columns, rows=np.arange(len(split)))

    def _filtered(self, train: Encoded) -> Encoded:
        kept = self.length_filter.kept(train.source, train.target)
        dropped = len(train) - len(kept)
        if dropped:
            logger.info("Left out %s of %s training pairs for length", dropped, len(train))
        if not len(kept):
            raise InputError(
                "No training pair is short enough for data.max_source_length="
                f"{self.length_filter.max_source_length} and data.max_target_length="
                f"{self.length_filter.max_target_length}; raise them."
            )
        if not dropped:
            return train
        return Encoded(train.source.take(kept), train.target.take(kept), train.rows[kept])


@dataclass(frozen=True)
class LearnVocabularies:
    """Learns the tokenizers of both sides from the training split, and only from it.

    :raises InputError: if the sides share a tokenizer but have different recipes.
    """

    source_recipe: TokenizerRecipe
    target_recipe: TokenizerRecipe

    def __post_init__(self) -> None:
        if self.target_recipe.shared and self.source_recipe != self.target_recipe:
            raise InputError(
                "tokenizer.shared=true needs one recipe for both sides, but `source_tokenizer` "
                "differs from `tokenizer`; set tokenizer.shared=false or source_tokenizer=null."
            )

    def __call__(self, train: Dataset) -> Vocabularies:
        """Learn from the columns ``source`` and ``target``."""
        if self.target_recipe.shared:
            one = _learned(self.target_recipe, train, ("source", "target"))
            return Vocabularies(one, one)
        return Vocabularies(
            _learned(self.source_recipe, train, ("source",)),
            _learned(self.target_recipe, train, ("target",)),
        )


def _learned(recipe: TokenizerRecipe, train: Dataset, columns: tuple[str, ...]) -> Tokenizer:
    """Learn a tokenizer, or read it from the cache if the same was learnt from the same texts."""

    def texts() -> Iterator[str]:
        for column in columns:
            for batch in train.select_columns([column]).iter(batch_size=1000):
                yield from batch[column]

    path = cache_folder() / "tokenizers" / f"{content_key(repr(recipe), texts())}.json"
    if path.is_file():
        return Tokenizer.from_json(path.read_text(encoding="utf-8"))
    tokenizer = recipe.train(texts())
    _keep(lambda: write_atomically(path, tokenizer.to_json().encode()), path)
    return tokenizer


def _encoded_column(tokenizer: Tokenizer, split: Dataset, column: str) -> Ragged:
    """Turn a column of texts into ids, or map them from the cache."""
    texts: list[str] = split[column][:]
    path = cache_folder() / "encoded" / f"{content_key(tokenizer.to_json(), texts)}.arrow"
    try:
        return load_columns(path)["ids"]
    except (OSError, pa.ArrowInvalid, KeyError):
        pass  # not there yet, or unreadable: make it again
    ids = Ragged.from_lists(tokenizer.encode_batch(texts))
    _keep(lambda: save_columns(path, {"ids": ids}), path)
    return ids


def _keep(write: Callable[[], None], path: Path) -> None:
    """Put something into the cache, which is a convenience: without it work goes on."""
    try:
        write()
    except OSError as error:
        logger.warning("Could not write %s (%s); going on without the cache", path, error)
