"""Loads a dataset, learns its processors, and hands out batches."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import lightning as L
import numpy as np
import torch
from datasets import Dataset, DatasetDict

from tandem.core.errors import InputError, written
from tandem.core.types import Batch
from tandem.data.augmentation import Augmentation, Examples
from tandem.data.batching import (
    START,
    Budget,
    Encoded,
    EvaluationLoader,
    TrainingLoader,
    plan_batches,
)
from tandem.data.cache import content_key
from tandem.data.columns import Rows
from tandem.data.features.base import File
from tandem.data.fingerprints import Fingerprint
from tandem.data.memories import Memories
from tandem.data.preprocessing import Processors, Texts
from tandem.data.stream import Stream, StreamedSplits, StreamOptions
from tandem.data.stream_loader import StreamLoader
from tandem.data.token_cache import batches_of, encode_column, encode_texts
from tandem.data.written import MOST_SAMPLED, Written, look_at, look_at_stream

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LengthFilter:
    """What is too long to learn from; evaluation keeps every pair."""

    max_source_length: int | None
    """Training pairs with more source symbols (without ``eos``) or vectors are left out."""
    max_target_length: int | None
    """Training pairs with more target symbols, without ``eos``, are left out."""

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

    :param load: returns the dataset with its splits train and validation, and test if there is one.
    :param learn: returns the processors, given what reads the training texts.
    :param length_filter: which training pairs are left out.
    :param skip_bad: whether unusable files are left out instead of stopping the run.
    :param budget: how much fits into a batch; what it leaves open follows from the training split.
    :param stream_options: how a training split that is a stream is read.
    :param overfit: if given, every split is this many pairs from the training split's start.
    :param augmentation: makes training examples differ from epoch to epoch; None: they don't.
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
        augmentation: Augmentation | None,
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
        self.augmentation = augmentation
        self.seed = seed
        self.splits: DatasetDict | None = None
        self.stream: Stream | None = None
        self.processors: Processors | None = None
        self._train: Encoded | None = None
        self._encoded: dict[str, Encoded] = {}
        self.written: dict[str, Written] = {}
        """What the target tokenizer makes of the texts of each split that was read."""
        self._fingerprints: dict[str, Fingerprint] = {}
        self._examples: Examples | None = None
        self._loader: TrainingLoader | StreamLoader | None = None
        self._resumed: dict[str, Any] | None = None

    def open(self) -> Processors:
        """Load the splits and learn the processors; once."""
        if self.processors is None:
            loaded = self.load()
            if self.overfit is not None:
                self.splits = _few(loaded, self.overfit)
            elif isinstance(loaded, StreamedSplits):
                self.splits, self.stream = loaded.held_out, loaded.train
            else:
                self.splits = loaded
            self.processors = self.learn(self._training_texts)
        return self.processors

    def prepare(self) -> Processors:
        """Turn all that training needs into numbers; once."""
        processors = self.open()
        if self._examples is not None:
            return processors
        sizes = []
        if self.stream is None:
            self._train = self._filtered(self._encode("train", training=True))
            sizes.append(f"train {len(self._train):,}")
        else:
            sizes.append(f"train a stream of {len(self.stream.shards):,} shards")
            sample = self.stream.sample(min(self.stream_options.sample_size, MOST_SAMPLED))
            self.written["train"] = look_at_stream(processors.target, sample)
        self.budget = self.budget.fitted(self._train)
        held_out = [name for name in self._splits() if name != "train"]
        sizes += [f"{name} {len(self.encoded(name)):,}" for name in held_out]
        self._examples = self._augmented(processors)
        logger.info("Data: %s; %s", ", ".join(sizes), _describe(processors))
        return processors

    def has(self, split: str) -> bool:
        """Whether there is such a split, beside a stream."""
        return split in self._splits()

    def encoded(self, split: str) -> Encoded:
        """Every example of a split once, for evaluation; raises InputError if there is no split."""
        splits = self._splits()
        if split not in splits:
            raise InputError(f"The split must be one of {', '.join(splits)}, but is {split!r}.")
        if split not in self._encoded:
            self._encoded[split] = self._encode(split, training=False)
        return self._encoded[split]

    def prepared(self) -> dict[str, Encoded]:
        """The splits that training and its evaluations read; of a stream those held out."""
        train = {} if self._train is None else {"train": self._train}
        return {**train, **{name: self.encoded(name) for name in self._splits() if name != "train"}}

    def source_digest(self, split: str) -> str:
        """What changes with the sources of a split that :meth:`prepare` has read."""
        return str(self._fingerprints[split]["source"])

    def keep_memories(self, split: str, memories: Memories) -> None:
        """Let the batches of a split that was read hold what an encoder makes of their sources."""
        encoded = replace(self.prepared()[split], memories=memories)
        if split != "train":
            self._encoded[split] = encoded
            return
        self._train = encoded
        self._examples = self._augmented(self.open())

    def sample(self) -> Batch:
        """A small batch of validation examples, the same on each rank."""
        encoded = self.encoded("validation")
        return encoded.collate(np.arange(min(2, len(encoded))))

    def fingerprints(self) -> dict[str, Fingerprint]:
        """What changes with the content of each split that :meth:`prepare` has read."""
        return dict(self._fingerprints)

    def longest_target(self) -> int:
        """Symbols of the longest training target, ``eos`` included."""
        return int(self._train_examples().target.lengths.max()) + 1

    def batches_an_epoch(self) -> int | None:
        """Of the whole training split; None for a stream, whose length is not known."""
        if self.stream is not None:
            return None
        return len(plan_batches(self._train_examples(), self.budget, rng=None))

    def sources(self, split: str, indices: list[int]) -> list[str]:
        """Source texts, or the names of the files, by their rows in the split."""
        reader, sources = self.open().source, self._rows(split).select(indices)["source"]
        return [
            reader.name(source, split, row) for source, row in zip(sources, indices, strict=True)
        ]

    @property
    def media(self) -> str:
        """What the sources are: text, image, audio, or a name of the user's own."""
        return self.open().source.media

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
            assert self._examples is not None, "prepare() comes first"
            self._loader = TrainingLoader(
                self._examples,
                self.budget,
                seed=self.seed,
                rank=rank,
                world_size=world_size,
                device=self._device(),
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
            device=self._device(),
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
        budget = self.budget.fitted(None)  # for whoever evaluates without training
        return EvaluationLoader(
            self.encoded(split), budget, rank=rank, world_size=world_size, device=self._device()
        )

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """Let a GPU fetch a batch, which lies pinned, behind the steps before it.

        Lightning waits for batches that move themselves.
        """
        return batch.to(device, non_blocking=device.type == "cuda")

    def _augmented(self, processors: Processors) -> Examples:
        """The training examples of each epoch."""
        if self.augmentation is None:
            return lambda epoch: self._train_examples()
        if self.stream is None:
            rows = self._rows("train")
            return self.augmentation.examples(self._train_examples(), rows, processors)
        if self.augmentation.changes(processors):
            raise InputError(
                "data.streaming=true reads the same examples in every epoch; set curriculum=null, "
                "tokenizer.dropout=0 or tokenizer.sampling_alpha=null, or data.streaming=false."
            )
        return lambda epoch: self._train_examples()

    def _train_examples(self) -> Encoded:
        """The training examples, in several versions perhaps, without those that are too long."""
        assert self._train is not None, "prepare() comes first, and a stream has none"
        return self._train

    def _ranks(self) -> tuple[int, int]:
        if self.trainer is None:
            return 0, 1
        return self.trainer.global_rank, self.trainer.world_size

    def _device(self) -> torch.device:
        if self.trainer is None:
            return torch.device("cpu")
        return self.trainer.strategy.root_device

    def _splits(self) -> DatasetDict:
        assert self.splits is not None, "open() comes first"
        return self.splits

    def _rows(self, split: str) -> Dataset:
        return self._splits()[split]

    def _encode(self, name: str, *, training: bool) -> Encoded:
        """Turn a split into numbers; a row whose file is unusable leaves the split."""
        processors, splits = self.open(), self._splits()
        source, owners, digest = processors.source.read_split(
            splits[name], name, training=training, skip_bad=self.skip_bad
        )
        kept, rows = np.unique(owners, return_inverse=True)
        if len(kept) < len(splits[name]):
            splits[name] = splits[name].select(kept)
        targets, texts = encode_column(processors.target, splits[name], "target", name)
        self._fingerprints[name] = {"examples": len(targets), "source": digest, "target": texts}
        if "references" in splits[name].column_names:
            references = chain.from_iterable(batches_of(splits[name], "references"))
            self._fingerprints[name]["references"] = content_key(*references)
        self.written[name] = look_at(processors, splits[name], name, targets, training=training)
        if len(rows) > len(targets):
            targets = targets.take(rows)
        return Encoded(source, targets, rows=rows)

    def _training_texts(self, column: str) -> Iterable[str]:
        """The texts of a column that tokenizers learn from."""
        if self.stream is None:
            return chain.from_iterable(batches_of(self._rows("train"), column))
        side = ("source", "target").index(column)
        return (pair[side] for pair in self.stream.sample(self.stream_options.sample_size))

    def _encode_pairs(self, sources: list[str], targets: list[str]) -> Encoded:
        """Turn some pairs of a stream into numbers, and leave out what is too long."""
        processors = self.open()
        encoded = Encoded(
            processors.source.read(sources),
            encode_texts(processors.target, targets),
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
                f"{written(self.length_filter.max_source_length)} and data.max_target_length="
                f"{written(self.length_filter.max_target_length)}; raise them."
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
    target, source = f"{processors.target.vocabulary_size:,}", processors.source
    if processors.shared:
        return f"vocabulary: {target} shared"
    return f"source: {source.media} of size {source.size:,}; target vocabulary: {target}"
