"""Warm start: training that begins with weights and vocabularies of other runs."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.data.preprocessing import SOURCE, TARGET, LearnProcessors, Processors
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.inference.bundle import StoredBundle, read_bundle
from tandem.models import Seq2Seq
from tandem.training.spec_differences import SECTIONS, spec_differences
from tandem.training.weight_sources import (
    SOURCE_VOCABULARY,
    TARGET_VOCABULARY,
    VOCABULARIES,
    WeightSources,
)

logger = logging.getLogger(__name__)

ROWS = {
    "frontend.table.weight": SOURCE_VOCABULARY,
    "target_table.weight": TARGET_VOCABULARY,
    "output.weight": TARGET_VOCABULARY,
    "output.bias": TARGET_VOCABULARY,
    "ctc.output.weight": TARGET_VOCABULARY,
    "ctc.output.bias": TARGET_VOCABULARY,
}
"""Weights with a row for each symbol of a vocabulary."""


@dataclass(frozen=True)
class WarmStart:
    """What a training begins with."""

    sources: WeightSources
    bundles: Mapping[str, StoredBundle]
    """By folder, as the user names it."""

    def with_vocabularies(self, wanted: LearnProcessors) -> LearnProcessors:
        """What learns a run's vocabularies, with those given that are taken over.

        With them ids mean what the weights have learnt.

        :param wanted: what the run would learn; its vocabularies may be others.
        :raises InputError: if those of the runs are of another kind.
        """
        untrained = wanted(lambda column: [""])
        self._check_source(untrained)
        given: dict[str, Tokenizer] = {}
        folder = self.sources.folder_of(TARGET_VOCABULARY)
        if folder is not None:
            given[TARGET] = self.bundles[folder].processors.target
            self._check_kind(TARGET_VOCABULARY, folder, given[TARGET], untrained.target)
            if wanted.shared:
                _check_shared(folder, self.bundles[folder].processors)
                return replace(wanted, given=given)
        folder = self.sources.folder_of(SOURCE_VOCABULARY)
        if folder is not None and untrained.source.tokenizers:
            tokenizers = self.bundles[folder].processors.source.tokenizers
            if not tokenizers:
                raise InputError(
                    f"init_from={folder} has no source vocabulary, as its sources are no texts; "
                    f"learn one here: {self.sources.with_entry(SOURCE_VOCABULARY, None)}."
                )
            (given[SOURCE],), (other,) = tokenizers, untrained.source.tokenizers
            self._check_kind(SOURCE_VOCABULARY, folder, given[SOURCE], other)
        return replace(wanted, given=given)

    def check(self, model: Seq2Seq, spec: Mapping[str, Any]) -> None:
        """Refuse weights that do not fit.

        :param model: of the run that begins, with vocabularies of any size.
        :param spec: the factories that it is made of, as a bundle has them under ``model``.
        :raises InputError: if a weight is missing on one side or has another shape.
        """
        current = model.state_dict()
        stored = [name for bundle in self.bundles.values() for name in bundle.weights]
        self.sources.check_names([*current, *stored])
        for folder, bundle in self.bundles.items():
            for name in self._from(folder, [*current, *bundle.weights]):
                self._check_weight(name, folder, current, spec)
        self._check_ties(model)

    def fill(self, model: Seq2Seq, processors: Processors, spec: Mapping[str, Any]) -> None:
        """Put the weights into a model.

        :param processors: of the run that begins.
        :param spec: see :meth:`check`, which is done first.
        """
        self.check(model, spec)
        current = model.state_dict()
        for folder, bundle in self.bundles.items():
            weights = {
                name: _with_known_rows(name, current[name], bundle, processors)
                for name in self._from(folder, current)
            }
            model.load_state_dict(weights, strict=False)

    def log(self, model: Seq2Seq, processors: Processors, spec: Mapping[str, Any]) -> None:
        """Say what :meth:`fill` has taken from where, and what of it was learnt otherwise."""
        names = list(model.state_dict())
        for folder, bundle in self.bundles.items():
            weights = self._from(folder, names)
            vocabularies = [name for name in VOCABULARIES if self.sources.folder_of(name) == folder]
            taken = [*parts_of(weights), *(name.replace("_", " ") for name in vocabularies)]
            logger.info("Warm start: %s from %s", ", ".join(taken), folder)
            for name in weights:
                rows = _known_rows(name, bundle, processors)
                if rows is not None:
                    symbols = len(model.get_parameter(name))
                    logger.info(
                        "Warm start: %s has %s of %s symbols from %s; the others are random",
                        *(name, f"{len(rows):,}", f"{symbols:,}", folder),
                    )
            differences = dict.fromkeys(
                pair
                for part in parts_of(weights)
                if part in SECTIONS
                for pair in spec_differences(bundle.config["model"], spec, part)
            )
            for theirs, ours in differences:
                logger.warning(
                    "Warm start: %s was trained with %s, this run has %s", folder, theirs, ours
                )
        taken = parts_of(name for name in names if self.sources.folder_of(name) is not None)
        fresh = [part for part in parts_of(names) if part not in taken]
        fresh += [entry for entry, folder in self.sources.entries.items() if folder is None]
        fresh = list(dict.fromkeys(fresh))
        if fresh:
            logger.info("Warm start: no weights are loaded for %s", ", ".join(fresh))

    def _from(self, folder: str, names: Iterable[str]) -> dict[str, None]:
        """Those of some weights that come from a run, each once."""
        return dict.fromkeys(name for name in names if self.sources.folder_of(name) == folder)

    def _check_weight(
        self, name: str, folder: str, current: Mapping[str, Tensor], spec: Mapping[str, Any]
    ) -> None:
        """Refuse a weight that only one side has, or that has another shape there."""
        stored, (part,) = self.bundles[folder], parts_of([name])
        own, other = current.get(name), stored.weights.get(name)
        if own is not None and other is not None:
            first = 1 if name in ROWS else 0  # rows follow from the symbols
            if own.shape[first:] == other.shape[first:]:
                return
            what = (
                f"has the weight {name} in the shape {tuple(other.shape)}, but this run's model in "
                f"the shape {tuple(own.shape)}"
            )
        elif own is None:
            what = f"has the weight {name}, which this run's model has not"
        else:
            what = f"has no weight {name}, which this run's model has"
        if part not in parts_of(stored.weights):
            what = f"has no {part}, which this run's model has"
        elif part not in parts_of(current):
            what = f"has a part {part}, which this run's model has not"
        else:
            differences = spec_differences(stored.config["model"], spec, part)
            if differences:
                theirs, ours = (", ".join(side) for side in zip(*differences, strict=True))
                what = f"has {theirs}, but this run's model {ours}"
        raise InputError(
            f"init_from={folder} {what}; choose the parts and sizes of that run, or take over no "
            f"{part}: {self.sources.with_entry(part, None)}."
        )

    def _check_ties(self, model: Seq2Seq) -> None:
        """Refuse to begin one table with two."""
        first: dict[int, str] = {}
        for name, parameter in model.named_parameters(remove_duplicate=False):
            folder = self.sources.folder_of(name)
            if folder is None:
                continue
            one = first.setdefault(id(parameter), name)
            folders = [self.sources.folder_of(one), folder]
            stored = [
                self.bundles[str(path)].weights[key]
                for path, key in zip(folders, (one, name), strict=True)
            ]
            if not torch.equal(*stored):
                raise InputError(
                    f"This run's model has one weight for {one} and {name}, but init_from={folder} "
                    f"has another {name} than {folders[0]} has {one}; set model.tie_embeddings so "
                    f"that they are two, or take over one: "
                    f"{self.sources.with_entry(name.partition('.')[0], None)}."
                )

    def _check_kind(
        self, vocabulary: str, folder: str, stored: Tokenizer, untrained: Tokenizer
    ) -> None:
        """Refuse texts that are cut otherwise than this run would cut them."""
        if stored.kind != untrained.kind:
            raise InputError(
                f"init_from={folder} tokenizes {vocabulary.removesuffix('_vocabulary')} texts into "
                f"{stored.kind}, but this run's tokenizer would split them into {untrained.kind}; "
                "choose the tokenizer of that run, or learn a vocabulary here: "
                f"{self.sources.with_entry(vocabulary, None)}."
            )

    def _check_source(self, untrained: Processors) -> None:
        """Refuse an encoder's input that is read otherwise than it was learnt."""
        folder = self.sources.folder_of("frontend")
        if folder is None:
            return
        one, other = self.bundles[folder].processors.source, untrained.source
        alike = one.evaluated_identity() == other.evaluated_identity()
        if not (alike or (one.tokenizers and other.tokenizers)):
            raise InputError(
                f"init_from={folder} reads its sources with other `features` than this run; choose "
                f"the features of that run, or take over no frontend: "
                f"{self.sources.with_entry('frontend', None)}."
            )


def read_warm_start(
    value: str | Mapping[str, str | None], *, trusted: Iterable[str], shared: bool
) -> WarmStart:
    """Read the bundles that ``init_from`` names, of runs' folders or bundles.

    :param trusted: packages beside Tandem whose classes may read the sources.
    :param shared: whether the run that begins has one vocabulary for both sides.
    :raises InputError: if one is unusable.
    """
    sources = WeightSources.of(value)
    if shared:
        sources = sources.share_vocabulary()
    folders = dict.fromkeys(folder for folder in sources.entries.values() if folder is not None)
    return WarmStart(sources, {folder: read_bundle(folder, trusted=trusted) for folder in folders})


def parts_of(names: Iterable[str]) -> list[str]:
    """The parts of a model that some of its weights are in."""
    return list(dict.fromkeys(name.partition(".")[0] for name in names))


def _known_rows(
    name: str, bundle: StoredBundle, processors: Processors
) -> list[tuple[int, int]] | None:
    """Where a weight's rows come from in a bundle, as pairs of a run's row and the bundle's.

    :return: None if all of it is taken as it is.
    """
    if name not in ROWS:
        return None
    before, after = (_symbols(one, ROWS[name]) for one in (bundle.processors, processors))
    places = {symbol: place for place, symbol in enumerate(before)}
    known = [(row, places[symbol]) for row, symbol in enumerate(after) if symbol in places]
    return None if before == after else known


def _with_known_rows(
    name: str, current: Tensor, bundle: StoredBundle, processors: Processors
) -> Tensor:
    """A bundle's weight, with rows of known symbols alone if the vocabularies differ."""
    stored, rows = bundle.weights[name], _known_rows(name, bundle, processors)
    if rows is None:
        return stored
    weight = current.clone()
    own, other = torch.tensor(rows).T
    weight[own] = stored[other].to(weight.dtype)
    return weight


def _symbols(processors: Processors, vocabulary: str) -> list[str]:
    """What the ids of a side stand for; nothing for vectors."""
    is_source = vocabulary == SOURCE_VOCABULARY
    tokenizers = processors.source.tokenizers if is_source else (processors.target,)
    return [symbol for tokenizer in tokenizers for symbol in tokenizer.symbols]


def _check_shared(folder: str, stored: Processors) -> None:
    if not stored.shared:
        raise InputError(
            f"init_from={folder} has no vocabulary for both sides, but tokenizer.shared=true; set "
            "tokenizer.shared=false, or leave init_from out."
        )
