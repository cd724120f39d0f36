"""Warm start: training that begins with weights of another run, all or those of some parts."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from tandem.core.errors import InputError
from tandem.data.preprocessing import LearnProcessors, Processors
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.inference.bundle import StoredBundle, read_bundle
from tandem.models import Seq2Seq

logger = logging.getLogger(__name__)

ROWS = {
    "frontend.table.weight": "source",
    "target_table.weight": "target",
    "output.weight": "target",
    "ctc.output.weight": "target",
    "ctc.output.bias": "target",
}
"""Weights with a row for each symbol of a side's vocabulary."""


@dataclass(frozen=True)
class WarmStart:
    """A bundle to begin with."""

    folder: str
    """As the user names it."""
    stored: StoredBundle
    parts: tuple[str, ...] | None
    """Which of the model's parts begin with its weights; None: all."""
    takes_vocabulary: bool
    """Whether the run takes the bundle's tokenizers, too, so that ids mean what its weights learnt.

    Otherwise rows of symbols that both vocabularies have are taken over, and others begin fresh.
    """

    def processors(self, wanted: LearnProcessors) -> Processors:
        """The bundle's own.

        :param wanted: what the run would learn; its vocabularies may be others.
        :raises InputError: if that is of another kind.
        """
        stored, untrained = self.stored.processors, wanted(lambda column: [""])
        self._check_source(stored, untrained)
        self._check_kind("target", stored.target, untrained.target)
        tokenizers = stored.source.tokenizers
        for one, other in zip(tokenizers, untrained.source.tokenizers, strict=True):
            self._check_kind("source", one, other)
        return replace(stored, source=untrained.source.with_tokenizers(tokenizers))

    def fill(self, model: Seq2Seq, processors: Processors) -> None:
        """Put the bundle's weights into a model.

        :param processors: of the run that begins.
        :raises InputError: if a weight is missing on one side or has another shape.
        """
        current = self._of_parts(model.state_dict())
        self._check_parts(model)
        given = {} if self.takes_vocabulary else self._transferred(current, processors)
        stored = {**self._of_parts(self.stored.weights), **given}
        for name in [*current, *stored]:
            if name not in stored:
                what = f"has no weight {name}, which this run's model has"
            elif name not in current:
                what = f"has the weight {name}, which this run's model has not"
            elif stored[name].shape != current[name].shape:
                what = (
                    f"has the weight {name} in the shape {tuple(stored[name].shape)}, but this "
                    f"run's model in the shape {tuple(current[name].shape)}"
                )
            else:
                continue
            raise InputError(
                f"init_from={self.folder} {what}; choose the parts and sizes of that run, or leave "
                "init_from out."
            )
        model.load_state_dict(stored, strict=False)
        parts = "all weights" if self.parts is None else f"the weights of {', '.join(self.parts)}"
        logger.info("Warm start: %s from %s", parts, self.folder)

    def _of_parts(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Those of the parts that are taken."""
        return {
            name: weight
            for name, weight in weights.items()
            if self.parts is None or name.partition(".")[0] in self.parts
        }

    def _check_parts(self, model: Seq2Seq) -> None:
        names = dict.fromkeys(name.partition(".")[0] for name in model.state_dict())
        for part in self.parts or ():
            if part not in names:
                raise InputError(
                    f"`init_parts` must hold parts of this run's model, which are "
                    f"{', '.join(names)}, but has {part!r}; correct it."
                )

    def _transferred(
        self, current: Mapping[str, Tensor], processors: Processors
    ) -> dict[str, Tensor]:
        """Weights with rows of known symbols taken over, for those that have a row a symbol."""
        transferred = {}
        for name, side in ROWS.items():
            stored = self.stored.weights.get(name)
            if name not in current or stored is None or stored.shape[1:] != current[name].shape[1:]:
                continue  # the check of shapes says what is wrong
            before, after = _symbols(self.stored.processors, side), _symbols(processors, side)
            places = {symbol: place for place, symbol in enumerate(before)}
            rows = [row for row, symbol in enumerate(after) if symbol in places]
            weight = current[name].clone()
            weight[rows] = stored[[places[after[row]] for row in rows]].to(weight.dtype)
            transferred[name] = weight
            logger.info(
                "Warm start: %s has %s of %s %s symbols from %s; the others begin fresh",
                name,
                f"{len(rows):,}",
                f"{len(after):,}",
                side,
                self.folder,
            )
        return transferred

    def _check_source(self, stored: Processors, untrained: Processors) -> None:
        one, other = stored.source, untrained.source
        if not ((one.tokenizers and other.tokenizers) or one.identity() == other.identity()):
            raise InputError(
                f"init_from={self.folder} reads its sources with other `features` than this run; "
                "choose the features of that run, or leave init_from out."
            )
        if stored.shared != untrained.shared:
            raise InputError(
                f"init_from={self.folder} has {'one' if stored.shared else 'no'} vocabulary for "
                f"both sides, but tokenizer.shared={str(untrained.shared).lower()}; set "
                f"tokenizer.shared={str(stored.shared).lower()}, or leave init_from out."
            )

    def _check_kind(self, side: str, stored: Tokenizer, untrained: Tokenizer) -> None:
        if stored.kind != untrained.kind:
            raise InputError(
                f"init_from={self.folder} cuts {side} texts into {stored.kind}, but this run's "
                f"tokenizer would cut them into {untrained.kind}; choose the tokenizer of that "
                "run, or leave init_from out."
            )


def read_warm_start(
    folder: str,
    *,
    trusted: Iterable[str],
    parts: Sequence[str] | None,
    vocabulary: bool | None,
) -> WarmStart:
    """Read the bundle of a run's folder, or a bundle.

    :param trusted: packages beside Tandem whose classes may read the sources.
    :param parts: see :class:`WarmStart`.
    :param vocabulary: whether to take its tokenizers; None: if all parts are taken, or one that
        has a row for each symbol.
    :raises InputError: if the bundle is unusable.
    """
    if vocabulary is None:
        vocabulary = parts is None or any(name.partition(".")[0] in parts for name in ROWS)
    stored = read_bundle(folder, trusted=trusted)
    return WarmStart(folder, stored, None if parts is None else tuple(parts), vocabulary)


def _symbols(processors: Processors, side: str) -> list[str]:
    """What the ids of a side stand for; nothing for vectors."""
    tokenizers = processors.source.tokenizers if side == "source" else (processors.target,)
    return [symbol for tokenizer in tokenizers for symbol in tokenizer.symbols]
