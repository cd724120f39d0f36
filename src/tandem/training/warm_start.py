"""What training begins with, where it is not random: the weights and tokenizers of a bundle."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tandem.core.errors import InputError
from tandem.data.preprocessing import LearnProcessors, Processors
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.inference.bundle import Bundle, load_bundle
from tandem.models import Seq2Seq

PARTS = ("frontend", "encoder", "decoder", "features", "search")
"""The sections of a config whose objects a bundle has as well."""


@dataclass(frozen=True)
class Start:
    """A bundle to begin with; ``folder`` is how the user names it."""

    folder: str
    bundle: Bundle

    def processors(self, wanted: LearnProcessors) -> Processors:
        """The bundle's own, so that ids mean what its weights have learnt.

        :param wanted: what the run would learn; its vocabularies may be others.
        :raises InputError: if that is of another kind.
        """
        there, here = self.bundle.processors, wanted(lambda column: [""])
        self._check_source(there, wanted, here)
        self._check_kind("target", there.target, here.target)
        for one, other in zip(there.source.tokenizers, here.source.tokenizers, strict=True):
            self._check_kind("source", one, other)
        return replace(there, source=here.source.with_tokenizers(there.source.tokenizers))

    def _check_source(self, there: Processors, wanted: LearnProcessors, here: Processors) -> None:
        learnt = bool(here.source.tokenizers)
        if learnt != bool(there.source.tokenizers) or not (
            learnt or there.source.identity() == here.source.identity()
        ):
            raise InputError(
                f"init_from={self.folder} reads its sources with other `features` than this run; "
                "choose the features of that run, or leave init_from out."
            )
        if there.shared != wanted.shared:
            raise InputError(
                f"init_from={self.folder} has {'one' if there.shared else 'no'} vocabulary for "
                f"both sides, but tokenizer.shared={str(wanted.shared).lower()}; set "
                f"tokenizer.shared={str(there.shared).lower()}, or leave init_from out."
            )

    def _check_kind(self, side: str, there: Tokenizer, here: Tokenizer) -> None:
        if there.kind != here.kind:
            raise InputError(
                f"init_from={self.folder} cuts {side} texts into {there.kind}, but this run's "
                f"tokenizer would cut them into {here.kind}; choose the tokenizer of that run, or "
                "leave init_from out."
            )

    def give(self, model: Seq2Seq) -> None:
        """Load the bundle's weights into a model.

        :raises InputError: if a weight is missing on one side or has another shape.
        """
        there, here = self.bundle.model.state_dict(), model.state_dict()
        for name in [*here, *there]:
            if name not in there:
                what = f"has no weight {name}, which this run's model has"
            elif name not in here:
                what = f"has the weight {name}, which this run's model has not"
            elif there[name].shape != here[name].shape:
                what = (
                    f"has the weight {name} in the shape {tuple(there[name].shape)}, but this "
                    f"run's model in the shape {tuple(here[name].shape)}"
                )
            else:
                continue
            raise InputError(
                f"init_from={self.folder} {what}; choose the parts and sizes of that run, or leave "
                "init_from out."
            )
        model.load_state_dict(there)


def load_start(folder: str, config: Mapping[str, Any]) -> Start:
    """Read the bundle of a run's folder, or a bundle.

    :param config: of the run that begins, as plain data. The packages that its own parts come from
        are trusted in the bundle, too.
    :raises InputError: if the bundle is unusable.
    """
    own = {section: config[section] for section in PARTS}
    return Start(folder, load_bundle(folder, trusted=set(_packages(own))))


def _packages(config: Any) -> Iterator[str]:
    """The packages of all ``_target_`` in a config."""
    if isinstance(config, Mapping):
        if "_target_" in config:
            yield str(config["_target_"]).partition(".")[0]
        for value in config.values():
            yield from _packages(value)
    elif isinstance(config, list):
        for value in config:
            yield from _packages(value)
