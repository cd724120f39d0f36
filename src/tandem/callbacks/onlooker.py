"""Callbacks that only look on."""

import inspect

import lightning as L

from tandem.callbacks.evaluated_rows import EvaluatedRows, Split
from tandem.callbacks.training_time import off_the_clock
from tandem.core.onlookers import guard

HOOKS = [name for name, value in vars(L.Callback).items() if inspect.isfunction(value)]


class Onlooker(L.Callback):
    """A callback that shows or writes down what happens, and on which nothing in a run depends.

    In a run it is left out as soon as it fails, on the rank where it does. So ranks must not wait
    for each other in its hooks; :class:`EvaluatedRows` gathers rows for it on all of them.
    """

    def left_out(self) -> None:
        """Clean up after a failure; nothing else is called from then on."""


class RowsOnlooker(EvaluatedRows, Onlooker):
    """An onlooker that shows or writes down rows, the time for which is no training time."""

    def _hand_over(self, trainer: L.Trainer, pl_module: L.LightningModule, split: Split) -> None:
        with off_the_clock(trainer):
            super()._hand_over(trainer, pl_module, split)


def guard_onlooker(callback: L.Callback) -> L.Callback:
    """Return the callback; if it is an onlooker, a failure of it does not end the run."""
    if isinstance(callback, Onlooker):
        guard(callback, may_fail(callback), callback.left_out)
    return callback


def may_fail(callback: Onlooker) -> list[str]:
    """Methods that a failure leaves out: the hooks of its own, and what it does with rows."""
    shared = [L.Callback, EvaluatedRows]
    own = [
        name
        for name in HOOKS
        if getattr(type(callback), name) not in [getattr(base, name) for base in shared]
    ]
    return [*own, "use"] if isinstance(callback, EvaluatedRows) else own
