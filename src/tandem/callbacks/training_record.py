"""What the record of a run says of its training: what decided, and why and when it ended."""

import logging
from typing import Any, Protocol, runtime_checkable

import lightning as L
from lightning.pytorch.callbacks import Timer

from tandem.callbacks.validations import counts_as_validation
from tandem.core.directions import Direction, is_better
from tandem.core.quality import LOSS, Quality, quality_of

log = logging.getLogger(__name__)

STANDSTILL = 5
"""Validations with one score and a falling loss, after which the log says so."""


@runtime_checkable
class EndsTraining(Protocol):
    """A callback that may end training."""

    @property
    def reason(self) -> str | None:
        """Why it ends training, as a sentence without its full stop; None if it does not."""


class TrainingRecord(L.Callback):
    """Watches whether the monitor moves, and knows at the end why there is one.

    :param monitor: the score that decides; of equal scores the smaller loss is better.
    :param mode: which way the score is better.
    :param empty: the score of empty outputs; None: the monitor is no score of outputs.
    """

    def __init__(self, *, monitor: str, mode: Direction, empty: float | None = None) -> None:
        self.monitor, self.mode, self.empty = monitor, mode, empty
        self.first: Quality | None = None
        """The first of the last validations that have one score."""
        self.validations = 0
        """How many they are."""
        self.moved = False
        """Whether two validations have different scores."""

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Look whether the monitor stands still."""
        if not counts_as_validation(trainer):
            return
        quality = quality_of(trainer.callback_metrics, monitor=self.monitor, mode=self.mode)
        if self.first is None or quality.score != self.first.score:
            self.moved = self.moved or self.first is not None
            self.first, self.validations = quality, 0
        self.validations += 1
        fell = quality.loss > self.first.loss
        if self.validations == STANDSTILL and fell and self._is_stuck(quality):
            self._say(self.first, quality, trainer)

    def _is_stuck(self, quality: Quality) -> bool:
        """Whether a score that stands still says nothing: as it always did, or like no outputs."""
        score = quality.logged(self.mode)
        worthless = self.empty is not None and not is_better(score, self.empty, self.mode)
        return worthless or not self.moved

    def _say(self, first: Quality, last: Quality, trainer: L.Trainer) -> None:
        if trainer.is_global_zero:
            log.warning(
                "%s has been %.4f in %s %d validations while %s fell from %.4f to %.4f: of equal "
                "scores the smaller loss counts as better",
                self.monitor,
                last.logged(self.mode),
                "the last" if self.moved else "all of",
                self.validations,
                LOSS,
                -first.loss,
                -last.loss,
            )

    def state_dict(self) -> dict[str, Any]:
        """What the validations so far were like."""
        first = None if self.first is None else tuple(self.first)
        return {"first": first, "validations": self.validations, "moved": self.moved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from these validations."""
        first = state_dict["first"]
        self.first = None if first is None else Quality(*first)
        self.validations, self.moved = state_dict["validations"], state_dict["moved"]

    def facts(self, trainer: L.Trainer) -> dict[str, Any]:
        """For ``run.json``, when training has ended: why, after what, and by what it was judged."""
        still = self.validations > 1 and not self.moved
        return {
            "why": why_ended(trainer),
            "epochs": whole_epochs(trainer),
            "steps": trainer.global_step,
            "monitor": {
                "name": self.monitor,
                "mode": self.mode,
                "decided_by": LOSS if still else self.monitor,
            },
        }


def whole_epochs(trainer: L.Trainer) -> int:
    """Epochs that training went through to their end."""
    begun = trainer.current_epoch  # of which Lightning counts one that was broken off
    whole = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
    return begun if whole else max(begun - 1, 0)


def why_ended(trainer: L.Trainer) -> str:
    """Why training ended, as a sentence without its full stop."""
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    for callback in callbacks:
        if isinstance(callback, EndsTraining) and callback.reason is not None:
            return callback.reason
    for callback in callbacks:
        remaining = callback.time_remaining() if isinstance(callback, Timer) else None
        if remaining is not None and remaining <= 0:
            return "trainer.max_time reached"
    if 0 <= trainer.max_steps <= trainer.global_step:
        return f"trainer.max_steps={trainer.max_steps} reached"
    if 0 <= (trainer.max_epochs or 0) <= trainer.current_epoch:
        return f"trainer.max_epochs={trainer.max_epochs} reached"
    return "a callback ended it"
