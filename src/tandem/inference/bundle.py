"""Bundles: a trained model with what inference needs, as data that cannot run code."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_model
from torch import Tensor

from tandem import __version__
from tandem.core.errors import InputError
from tandem.core.files import give_usual_rights, write_text
from tandem.core.memory import Memory
from tandem.core.own_key import is_signed, signature
from tandem.core.types import Hypothesis
from tandem.data.batching import Budget, Encoded, plan_batches
from tandem.data.columns import SourceColumn
from tandem.data.preprocessing import Processors
from tandem.data.ragged import Ragged
from tandem.data.tokenizers.tokenizer import TARGET_TOKENIZER
from tandem.inference.asked_models import keep_asked_models, with_kept_models
from tandem.inference.decoding import Decoding, encode, generate, generate_together
from tandem.inference.exported import load_exported
from tandem.inference.files import CONFIG, BundleFiles, digests
from tandem.inference.inspection import Inspection, inspect_source, part_names
from tandem.inference.networks import network
from tandem.inference.prompts import prompted
from tandem.inference.ranking import Ranker
from tandem.inference.reading import (
    FORMAT,
    VERSION,
    BundleReader,
    bundle_folder,
)
from tandem.inference.scoring import ScoredPair, score_pairs
from tandem.inference.source_attention import SourceAttention, source_attention
from tandem.inference.texts import check_equally_many, listed_texts
from tandem.inference.weights import WEIGHTS, open_weights
from tandem.models import Seq2Seq, SequenceModel

Texts = Iterable[str | os.PathLike[str]]
"""A list, tuple, array or generator of texts, or of paths."""


@dataclass(frozen=True)
class Bundle:
    """A trained model, or an ensemble, that generates and scores outputs."""

    model: SequenceModel
    processors: Processors
    decoding: Decoding
    """How it finds them; its texts are bound to the target vocabulary."""
    max_length: int
    """Most symbols of an output, ``eos`` included."""
    config: dict[str, Any]
    """What ``config.json`` says."""

    partners: tuple[SequenceModel, ...] = ()
    """Other models that decide together with this one; see :mod:`tandem.inference.ensemble`."""
    average: str = "probability"
    """How they do; see :func:`tandem.search.ensemble.start_together`."""
    ranker: Ranker | None = None
    """What ranks the outputs that search found; None leaves them in search's order."""

    def __repr__(self) -> str:
        """Its parts and its size in one line."""
        parts = ", ".join(part_names(self.model, self.decoding).values())
        count = self.model.num_parameters()
        return f"Bundle({parts}{'' if count is None else f'; {count:,} parameters'})"

    @property
    def models(self) -> tuple[SequenceModel, ...]:
        """The model and its partners."""
        return (self.model, *self.partners)

    @property
    def is_own(self) -> bool:
        """Whether this user trained it on this machine, on the dataset that its config names."""
        return is_signed(self.config["dataset"], self.config.get("dataset_signature"))

    @property
    def budget(self) -> Budget:
        """The batches that it was trained and evaluated with.

        :raises InputError: if the config does not say.
        """
        limits: Any = self.config.get("batching")
        try:
            if all(value is None or type(value) is int for value in limits.values()):
                return Budget(**limits)
        except (AttributeError, TypeError):
            pass
        raise InputError("The bundle's config lacks a usable `batching`, so it is not evaluated.")

    def to(self, device: torch.device) -> None:
        """Move all models to a device."""
        for model in self.models:
            model.to(device)
        if self.ranker is not None:
            self.ranker.to(device)

    def generate(self, sources: Texts, *, max_tokens: int = 4096) -> list[str]:
        """Generate an output for each source; see :meth:`hypotheses`."""
        outputs = self.hypotheses(sources, max_tokens=max_tokens)
        return [self.processors.target.decode(best.tokens) for best, *_ in outputs]

    def hypotheses(
        self,
        sources: Texts,
        *,
        max_tokens: int = 4096,
        advance: Callable[[int], None] = lambda count: None,
    ) -> list[list[Hypothesis]]:
        """Return the hypotheses of each source, best first, in the order of the sources.

        :param sources: texts, or the paths of pictures or recordings.
        :param max_tokens: source symbols of a batch, padding counted; of vectors ten times that.
        :param advance: is told after each batch how many sources it had.
        :raises InputError: if ``sources`` is no list of texts or paths, a source has no symbols,
            or a file is unusable.
        """
        listed = listed_texts("sources", sources)
        if not listed:
            return []
        column = self.processors.source.read(listed)
        return self.hypotheses_of(column, max_tokens=max_tokens, advance=advance)

    @torch.inference_mode()
    def hypotheses_of(
        self,
        column: SourceColumn,
        *,
        max_tokens: int = 4096,
        advance: Callable[[int], None] = lambda count: None,
    ) -> list[list[Hypothesis]]:
        """:meth:`hypotheses` for sources that have been read."""
        room = max_tokens * self.processors.source.positions_per_symbol
        budget = Budget(max_tokens=room, max_source_tokens=room, max_sentences=None)
        rows = np.arange(len(column.lengths))
        encoded = Encoded(column, Ragged.from_lists([[] for _ in rows]), rows)
        outputs: dict[int, list[Hypothesis]] = {}
        for chosen in plan_batches(encoded, budget, rng=None):
            batch = encoded.collate(chosen).to(self.model.device)
            memories = [encode(model, batch) for model in self.models]
            decoding = prompted(
                self.decoding, self.processors.source, batch.source, max_length=self.max_length
            )
            found = replace(self, decoding=decoding).search_memories(memories)
            outputs |= zip(chosen.tolist(), found, strict=True)
            advance(len(chosen))
        return [outputs[row] for row in rows.tolist()]

    def attention(
        self,
        sources: Texts,
        hypotheses: Sequence[Sequence[Hypothesis]],
        *,
        max_tokens: int = 4096,
    ) -> list[list[SourceAttention]]:
        """Return the weights of the last attention layer for each output.

        :param sources: see :meth:`hypotheses`.
        :param hypotheses: of each source, such as that method finds.
        :param max_tokens: symbols of a batch on either side, padding counted; of vectors ten times
            that.
        :return: for each source one of each of its hypotheses.
        :raises InputError: as there; if the attention has no weights; for an ensemble.
        """
        self._refuse_partners("attention()")
        listed = listed_texts("sources", sources)
        check_equally_many(listed, hypotheses, "hypotheses")
        if not listed:
            return []
        column = self.processors.source.read(listed)
        return source_attention(
            self.model, self.processors, column, hypotheses, max_tokens=max_tokens
        )

    def score(
        self, sources: Texts, targets: Texts, *, alignment: bool = False, max_tokens: int = 4096
    ) -> list[ScoredPair]:
        """Return log-probabilities of given targets; an unknown token is ``<unk>``.

        :param sources: see :meth:`hypotheses`.
        :param targets: one for each source; an empty one is the output that ends at once.
        :param alignment: whether to read alignments off the attention, too.
        :param max_tokens: see :meth:`attention`.
        :raises InputError: as :meth:`attention`, which needs weights only for alignments.
        """
        self._refuse_partners("score()")
        listed, wanted = listed_texts("sources", sources), listed_texts("targets", targets)
        check_equally_many(listed, wanted, "targets")
        if not listed:
            return []
        column = self.processors.source.read(listed)
        return score_pairs(
            self.model, self.processors, column, wanted, alignment=alignment, max_tokens=max_tokens
        )

    def inspect(self, source: str | os.PathLike[str], *, prefix: Sequence[int] = ()) -> Inspection:
        """Return all intermediate results of reading one source and writing its output.

        :param source: a text, or the path of a picture or a recording.
        :param prefix: ids of target symbols that the output is to begin with.
        :raises InputError: if the source is unusable; if no output can begin so; for an ensemble,
            and for an export to a program that searches by itself.
        """
        self._refuse_partners("inspect()")
        (listed,) = listed_texts("source", [source])
        return self.inspect_of(self.processors.source.read([listed]), given=listed, prefix=prefix)

    def inspect_of(
        self, column: SourceColumn, *, given: str, prefix: Sequence[int] = ()
    ) -> Inspection:
        """:meth:`inspect` for a source that has been read.

        :param column: has that one alone.
        :param given: what it was read from.
        """
        return inspect_source(
            self.model,
            self.processors,
            self.decoding,
            column,
            given=given,
            prefix=prefix,
            max_length=self.max_length,
            rank=self._ranked,
        )

    def _refuse_partners(self, method: str) -> None:
        if self.partners:
            raise InputError(
                f"{method} is of one model, but this bundle is an ensemble of {len(self.models)}; "
                "load one of them with load_bundle."
            )

    def search_memories(self, memories: list[Memory]) -> list[list[Hypothesis]]:
        """Search for a batch that each of the models has read; the best come first."""
        if self.partners:
            outputs = generate_together(
                self.models, self.decoding, memories, self.max_length, average=self.average
            )
        else:
            outputs = generate(self.model, self.decoding, memories[0], self.max_length)
        return [self._ranked(hypotheses) for hypotheses in outputs]

    def _ranked(self, hypotheses: list[Hypothesis]) -> list[Hypothesis]:
        """What search found of one source, in the order that outputs are given in."""
        return (
            hypotheses if self.ranker is None else self.ranker(hypotheses, self.processors.target)
        )


def save_bundle(
    folder: Path,
    *,
    model: Seq2Seq,
    processors: Processors,
    max_length: int,
    config: dict[str, Any],
) -> None:
    """Write a bundle; the folder is complete or not there.

    :param config: plain data under ``model``, ``search``, ``scorer``, ``rule``, ``dataset`` and
        ``metric``.
    """
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    save_model(model, str(part / WEIGHTS))
    give_usual_rights(part / WEIGHTS)
    (part / TARGET_TOKENIZER).write_text(processors.target.to_json(), encoding="utf-8")
    reader = type(processors.source)
    options = processors.source.to_bundle(part, shared=processors.shared)
    scorers = keep_asked_models(part, config["scorer"])
    record = {
        "format": FORMAT,
        "version": VERSION,
        "tandem": __version__,
        "source": {"reader": f"{reader.__module__}.{reader.__qualname__}", "options": options},
        "shared_vocabulary": processors.shared,
        "max_length": max_length,
        **config,
        "scorer": scorers,
        "dataset_signature": signature(config["dataset"]),
        "sha256": digests(part),
    }
    write_text(part / CONFIG, json.dumps(record, indent=2))
    if folder.exists():
        shutil.rmtree(folder)
    os.replace(part, folder)


@dataclass(frozen=True)
class StoredBundle:
    """What a bundle's folder holds, read and checked, before a network is built of it."""

    folder: Path
    config: dict[str, Any]
    processors: Processors
    weights: dict[str, Tensor]
    """By the names that the network's state has, shared ones under each of their names."""


def read_bundle(path: str | Path, *, trusted: Iterable[str] = ()) -> StoredBundle:
    """Read a bundle, or the bundle of a run's folder, without running anything in it.

    :param trusted: packages beside Tandem whose classes may read the sources.
    :raises InputError: if a file is missing or damaged, or names something untrusted.
    """
    reader = BundleReader.open(path, trusted=trusted)
    if "export" in reader.config:
        raise InputError(f"{path} is an export without weights of its own; give the run's folder.")
    weights = open_weights(reader.files)
    return StoredBundle(reader.folder, reader.config, reader.processors(), weights.read())


def load_bundle(path: str | Path, *, trusted: Iterable[str] = ()) -> Bundle:
    """Read a bundle, an export, or the bundle of a run's folder, and build its network.

    Nothing in it is believed: its network may not be larger than the names and shapes in the file
    of its weights say, and is compared with them before any are read.

    :param trusted: packages or modules beside Tandem whose classes the model may be made of;
        ``torch.export`` or ``ctranslate2`` for somebody else's export to that.
    :raises InputError: if a file is missing or damaged, or names something untrusted.
    """
    reader = BundleReader.open(path, trusted=trusted)
    processors = reader.processors()
    model: SequenceModel
    if "export" in reader.config:
        model = load_exported(reader, processors)
    else:
        model = network(reader, processors)
    decoding = with_kept_models(reader.decoding(), reader).bind(processors.target)
    decoding.check(model)
    return Bundle(
        model=model,
        processors=processors,
        decoding=decoding,
        max_length=reader.config["max_length"],
        config=reader.config,
    )


def bundle_digest(path: str | Path) -> str:
    """What tells a bundle from others: the SHA-256 of its config, which has those of its files."""
    files = BundleFiles(bundle_folder(Path(path)))
    return hashlib.sha256(files.read(CONFIG)).hexdigest()
