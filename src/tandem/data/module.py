"""Loads a dataset, learns its processors, and hands out batches."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal

import lightning as L
import numpy as np
from datasets import Dataset, DatasetDict

from tandem.core.errors import InputError
from tandem.data.augmentation import Examples, Variety
from tandem.data.batching import START, Budget, Encoded, EvaluationLoader, TrainingLoader
from tandem.data.columns import Rows, SourceColumn
from tandem.data.features import Features, File
from tandem.data.processors import (
    Processors,
    Texts,
    encode_files,
    place_of,
    warn_of_unknown,
)
from tandem.data.stream import Stream, StreamedSplits, StreamOptions
from tandem.data.stream_loader import StreamLoader
from tandem.data.text import (
    batches_of,
    encode_column,
    encode_source_column,
    encode_sources,
    encode_texts,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LengthFilter:
    """What is too long to learn from; evaluation keeps every pair."""

    max_source_length: int | None
    """Training pairs with more source symbols (without ``eos``) or vectors are left out."""
    max_target_length: int | None
    """Training pairs with more target symbols, without ``eos``, are left out."""
    truncate_source: int | None
    """Of a longer source text only so many symbols are read, in evaluation, too."""

    def kept(self, encoded: Encoded) -> Rows:
        """Rows that stay."""
        keep = np.ones(len(encoded), dtype=bool)
        for lengths, most in (
            (encoded.source.lengths, self.max_source_length),
            (encoded.target.lengths, self.max_target_length),
        ):
            if most is not None:
                keep &= lengths <= most
        return keep.nonzero()[0]


class DataModule(L.LightningDataModule):
    """Pairs of a source and a text, from a dataset function to batches.

    :param load: returns the dataset with its splits train, validation and test.
    :param learn: returns the processors, given what reads the training texts.
    :param length_filter: which training pairs are left out, and where sources are cut.
    :param skip_bad: whether unusable files are left out instead of stopping the run.
    :param budget: how much fits into a batch.
    :param stream_options: how a training split that is a stream is read.
    :param overfit: if given, every split is this many pairs from the training split's start.
    :param variety: makes training examples differ from epoch to epoch; None: they don't.
    :param seed: orders the batches.
    """

    def __init__(
        self,
        *,
        load: Callable[[], DatasetDict | StreamedSplits],
        learn: Callable[[Texts], Processors],
        length_filter: LengthFilter,
        skip_bad: bool,
        budget: Budget,
        stream_options: StreamOptions,
        overfit: int | None,
        variety: Variety | None,
        seed: int,
    ) -> None:
        super().__init__()
        self.load = load
        self.learn = learn
        self.length_filter = length_filter
        self.skip_bad = skip_bad
        self.budget = budget
        self.stream_options = stream_options
        self.overfit = overfit
        self.variety = variety
        self.seed = seed
        self.splits: DatasetDict | None = None
        self.stream: Stream | None = None
        self.processors: Processors | None = None
        self._encoded: dict[str, Encoded] = {}
        self._examples: Examples = self._same_examples
        self._loader: TrainingLoader | StreamLoader | None = None
        self._resumed: dict[str, Any] | None = None

    def prepare(self) -> Processors:
        """Load the splits, learn the processors, and turn all into numbers; once."""
        if self.splits is not None:
            assert self.processors is not None
            return self.processors
        loaded = self.load()
        if self.overfit is not None:
            self.splits = _few(loaded, self.overfit)
        elif isinstance(loaded, StreamedSplits):
            self.splits, self.stream = loaded.held_out, loaded.train
        else:
            self.splits = loaded
        self.processors = self.learn(self._training_texts)
        for name in self.splits:
            self._encode(name)
        if self.stream is None:
            self._encoded["train"] = self._filtered(self._encoded["train"])
        self._examples = self._varied(self.splits, self.processors)
        sizes = [f"{name} {len(encoded):,}" for name, encoded in self._encoded.items()]
        if self.stream is not None:
            sizes = [f"train a stream of {len(self.stream.shards):,} shards", *sizes]
        logger.info("Data: %s; %s", ", ".join(sizes), _describe(self.processors))
        return self.processors

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
        """Source texts, or the names of the files, by their rows in the split."""
        sources = self._rows(split).select(indices)["source"][:]
        if isinstance(sources[0], str):
            return list(sources)
        return [place_of(file, split, row) for file, row in zip(sources, indices, strict=True)]

    @property
    def media(self) -> Literal["image", "audio"] | None:
        """What the sources are; None if they are text."""
        assert self.processors is not None, "prepare() comes first"
        source = self.processors.source
        return source.media if isinstance(source, Features) else None

    def file(self, split: str, index: int) -> File:
        """The picture or recording of an example whose source is not text."""
        file: File = self._rows(split)[index]["source"]
        return file

    def references(self, split: str, indices: list[int]) -> list[list[str]]:
        """For each row of the split, the texts that count as right."""
        rows = self._rows(split).select(indices)
        if "references" in rows.column_names:
            return list(rows["references"][:])
        return [[target] for target in rows["target"][:]]

    def train_dataloader(self) -> TrainingLoader | StreamLoader:
        """Shuffled batches of the training split, this rank's share, from where they stand.

        Lightning asks for each epoch again, as the number of its batches may be another one.
        """
        rank, world_size = self._ranks()
        state = self._resumed or self.state_dict()
        self._resumed = None
        if self.stream is None:
            self._loader = TrainingLoader(
                self._examples,
                self.budget,
                seed=self.seed,
                rank=rank,
                world_size=world_size,
                state=state or START,
            )
            return self._loader
        self._loader = StreamLoader(
            self.stream,
            self._encode_pairs,
            self.budget,
            buffer_size=self.stream_options.buffer_size,
            seed=self.seed,
            rank=rank,
            world_size=world_size,
            asked_ahead=self.trainer is None or self.trainer.limit_train_batches == 1.0,
        )
        if state:
            self._loader.load_state_dict(state)
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

    def _varied(self, splits: DatasetDict, processors: Processors) -> Examples:
        """The training examples of each epoch."""
        if self.variety is None:
            return self._same_examples
        if self.stream is None:
            return self.variety.examples(
                self.encoded("train"),
                splits["train"],
                processors,
                truncate=self.length_filter.truncate_source,
            )
        if self.variety.changes(processors):
            raise InputError(
                "data.streaming=true reads the same examples in every epoch; set curriculum=null, "
                "tokenizer.dropout=0 or tokenizer.sampling_alpha=null, or data.streaming=false."
            )
        return self._same_examples

    def _same_examples(self, epoch: int) -> Encoded:
        """The examples of every epoch, if they don't change."""
        return self.encoded("train")

    def _ranks(self) -> tuple[int, int]:
        if self.trainer is None:
            return 0, 1
        return self.trainer.global_rank, self.trainer.world_size

    def _rows(self, split: str) -> Dataset:
        assert self.splits is not None, "prepare() comes first"
        return self.splits[split]

    def _encode(self, name: str) -> None:
        """Turn a split into numbers; a row whose file is unusable leaves the split."""
        assert self.splits is not None
        assert self.processors is not None
        split, target = self.splits[name], self.processors.target
        source: SourceColumn
        if isinstance(self.processors.source, Features):
            copies = self.processors.source.copies if name == "train" else 1
            source, owners = encode_files(
                self.processors.source, split, name, copies=copies, skip_bad=self.skip_bad
            )
            kept, rows = np.unique(owners, return_inverse=True)
            if len(kept) < len(split):
                split = self.splits[name] = split.select(kept)
        else:
            truncate = self.length_filter.truncate_source
            source = encode_source_column(self.processors.source, split, name, truncate=truncate)
            rows = np.arange(len(split))
        targets = encode_column(target, split, "target", name)
        if name != "train":
            warn_of_unknown(target, targets, split, name)
        if len(rows) > len(targets):
            targets = targets.take(rows)
        self._encoded[name] = Encoded(source, targets, rows=rows)

    def _training_texts(self, column: str) -> Iterable[str]:
        """The texts of a column that tokenizers learn from."""
        if self.stream is None:
            return chain.from_iterable(batches_of(self._rows("train"), column))
        side = ("source", "target").index(column)
        return (pair[side] for pair in self.stream.sample(self.stream_options.sample_size))

    def _encode_pairs(self, sources: list[str], targets: list[str]) -> Encoded:
        """Turn some pairs of a stream into numbers, and leave out what is too long."""
        assert self.processors is not None
        assert not isinstance(self.processors.source, Features), "only text is streamed"
        truncate = self.length_filter.truncate_source
        encoded = Encoded(
            encode_sources(self.processors.source, sources, truncate=truncate),
            encode_texts(self.processors.target, targets),
            rows=np.arange(len(sources)),
        )
        return encoded.taken(self.length_filter.kept(encoded))

    def _filtered(self, train: Encoded) -> Encoded:
        """Leave out what is too long."""
        kept = self.length_filter.kept(train)
        dropped = len(train) - len(kept)
        if dropped:
            logger.info("Left out %s of %s training pairs for length", dropped, len(train))
        if not len(kept):
            raise InputError(
                "No training pair is short enough for data.max_source_length="
                f"{self.length_filter.max_source_length} and data.max_target_length="
                f"{self.length_filter.max_target_length}; raise them."
            )
        return train.taken(kept) if dropped else train


def _few(loaded: DatasetDict | StreamedSplits, count: int) -> DatasetDict:
    """Every split as the same few pairs from the training split's start."""
    if isinstance(loaded, StreamedSplits):
        pairs = islice(loaded.train.sample(count), count)
        few = Dataset.from_list([{"source": source, "target": target} for source, target in pairs])
        return DatasetDict({name: few for name in ("train", *loaded.held_out)})
    few = loaded["train"].select(range(min(count, len(loaded["train"]))))
    return DatasetDict({name: few for name in loaded})


def _describe(processors: Processors) -> str:
    """What the two sides are made of, for the log."""
    target = f"{processors.target.vocabulary_size:,}"
    if processors.shared:
        return f"vocabulary: {target} shared"
    if isinstance(processors.source, Features):
        return f"vectors of size {processors.source_size}; vocabulary: {target}"
    return f"vocabulary: {processors.source_size:,} source, {target} target"
