"""Which weights a run ends with: those that a callback offers, if validation finds them best."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import lightning as L
from torch import Tensor

from tandem.core.directions import Direction
from tandem.core.quality import Quality, quality_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """Weights that a run may end with."""

    name: str
    """What they are, for the log."""
    read: Callable[[], dict[str, Tensor]]
    """Reads the state of the Lightning module."""
    quality: Quality | None
    """What a validation found of these weights; None if there was none."""


@runtime_checkable
class OffersWeights(Protocol):
    """A callback with weights that are not those of the last step."""

    def candidate(self) -> Candidate | None:
        """What it offers when training has ended; None for nothing."""


def settle_weights(
    trainer: L.Trainer,
    module: L.LightningModule,
    data: L.LightningDataModule,
    *,
    monitor: str,
    mode: Direction,
) -> bool:
    """Load the best of the weights that callbacks offer, and validate them.

    :param monitor: the score that they are compared by; of equal scores the smaller loss is
        better, and of equal losses the later offer.
    :param mode: which way the score is better.
    :return: whether there were any; else the module keeps the weights of the last step.
    """
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    offers = [one.candidate() for one in callbacks if isinstance(one, OffersWeights)]
    candidates = [offer for offer in offers if offer is not None]
    if not candidates:
        return False

    def validated(candidate: Candidate) -> Quality:
        module.load_state_dict(candidate.read())
        trainer.validate(module, datamodule=data, verbose=False)
        return quality_of(trainer.callback_metrics, monitor=monitor, mode=mode)

    if len(candidates) == 1:
        validated(candidates[0])
        return True
    ranked: list[tuple[Quality, int]] = []
    loaded = None
    for place, candidate in enumerate(candidates):
        quality = candidate.quality
        if quality is None:
            quality, loaded = validated(candidate), place
        ranked.append((quality, place))
    _, best = max(ranked)
    logger.info(
        "%s: keeping the %s",
        ", ".join(
            f"the {candidates[place].name} has {monitor} {quality.logged(mode):.4f}"
            for quality, place in ranked
        ),
        candidates[best].name,
    )
    if loaded != best:
        validated(candidates[best])
    return True
