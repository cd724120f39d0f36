"""Learning-rate schedules, as what Lightning wants for ``lr_scheduler``."""

import math
import sys
from collections.abc import Callable, Mapping
from typing import Any, SupportsFloat

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from tandem.core.directions import Direction
from tandem.core.errors import InputError
from tandem.core.quality import quality_of


def constant(optimizer: Optimizer, *, warmup_steps: int) -> dict[str, Any]:
    """The optimizer's rate, after a linear warm-up."""
    return _by_step(optimizer, warmup_steps, lambda step: 1.0)


def inverse_sqrt(optimizer: Optimizer, *, warmup_steps: int) -> dict[str, Any]:
    """Linear warm-up to the optimizer's rate, then ``sqrt(warmup / step)`` of it.

    Vaswani et al. (2017), section 5.3, with the peak given instead of the factor.
    """
    return _by_step(optimizer, warmup_steps, lambda step: math.sqrt(max(1, warmup_steps) / step))


def cosine(optimizer: Optimizer, *, warmup_steps: int, total_steps: int) -> dict[str, Any]:
    """Linear warm-up, then half a cosine down to 0 at ``total_steps``.

    Loshchilov & Hutter (2017), without restarts.
    """
    if total_steps <= warmup_steps:
        raise InputError(
            f"scheduler=cosine needs an end: `scheduler.total_steps` ({total_steps}) has to "
            f"be larger than `scheduler.warmup_steps` ({warmup_steps}); set trainer.max_steps."
        )
    span = total_steps - warmup_steps

    def factor(step: int) -> float:
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup_steps) / span)))

    return _by_step(optimizer, warmup_steps, factor)


class Plateau(ReduceLROnPlateau):
    """Multiplies the rate by ``factor`` after ``patience`` validations without a better one.

    :param monitor: the score that decides; of equal scores the smaller loss is better.
    :param mode: which way the score is better.
    """

    def __init__(
        self, optimizer: Optimizer, *, factor: float, patience: int, monitor: str, mode: Direction
    ) -> None:
        # It sees how often validation got better, a number that only grows.
        super().__init__(
            optimizer, "max", factor=factor, patience=patience, threshold=0, threshold_mode="abs"
        )
        self.monitor, self.direction = monitor, mode
        self.best_quality: tuple[float, ...] | None = None
        self.improvements = 0

    def judge(self, values: Mapping[str, SupportsFloat]) -> None:
        """Take a validation's values in."""
        quality = quality_of(values, monitor=self.monitor, mode=self.direction)
        if self.best_quality is None or quality > self.best_quality:
            self.best_quality = tuple(quality)
            self.improvements += 1
        self.step(self.improvements)


def plateau(
    optimizer: Optimizer, *, factor: float, patience: int, monitor: str, mode: Direction
) -> dict[str, Any]:
    """A :class:`Plateau`, which the callback ``PlateauSteps`` steps, not Lightning."""
    return {
        "scheduler": Plateau(
            optimizer, factor=factor, patience=patience, monitor=monitor, mode=mode
        ),
        "interval": "epoch",
        "frequency": sys.maxsize,
        "monitor": monitor,
    }


def _by_step(
    optimizer: Optimizer, warmup_steps: int, factor: Callable[[int], float]
) -> dict[str, Any]:
    """A schedule that changes with each optimizer step, counted from 1."""

    def rate(done: int) -> float:
        step = done + 1
        return step / warmup_steps if step <= warmup_steps else factor(step)

    return {"scheduler": LambdaLR(optimizer, rate), "interval": "step"}
