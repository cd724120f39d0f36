"""What callbacks and loggers of a run cost: the time inside of each, in one training.

    python benchmarks/callback_cost.py dataset=reverse dataset.size=2000 encoder=gru hidden_size=32

Arguments are those of ``tandem train``. Times are wall seconds inside the hooks of a callback and
the methods of a logger: in training steps, between them (validations, ends of epochs), and outside
of ``fit``. A logger's are also inside the callback that uses it. On a GPU a hook that reads a value
waits for the steps before it, which then count as its own.
"""

import contextlib
import functools
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import lightning as L
import rich
from rich.table import Table

from tandem.callbacks.onlooker import HOOKS
from tandem.commands.train import train
from tandem.config.launch import compose
from tandem.config.plan import Plan
from tandem.core.onlookers import public_methods


class Costs:
    """Seconds by who spent them and when: in a step, between steps, or behind training."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.phase = "rest"

    def timed(self, who: str, method: Callable[..., Any], phase: str | None) -> Callable[..., Any]:
        """The method, which counts its time; without a phase that of the caller."""

        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                seconds = time.perf_counter() - start
                self.seconds[who][phase or self.phase] += seconds

        return call

    def watch(self, trainer: L.Trainer) -> None:
        """Time every callback and logger of a trainer."""
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            for hook in HOOKS:
                if getattr(type(callback), hook) is not getattr(L.Callback, hook):
                    setattr(callback, hook, self._by_phase(callback, hook, trainer))
        for logger in trainer.loggers:
            for name in public_methods(logger):
                who = f"{type(logger).__name__}"
                setattr(logger, name, self.timed(who, getattr(logger, name), None))

    def _by_phase(self, callback: L.Callback, hook: str, trainer: L.Trainer) -> Callable[..., Any]:
        who, method = type(callback).__name__, getattr(callback, hook)

        def call(*args: Any, **kwargs: Any) -> Any:
            in_fit = trainer.state.fn == "fit"
            if in_fit and ("train_batch" in hook or "optimizer_step" in hook):
                self.phase = "steps"
            elif in_fit:
                self.phase = "between"
            else:
                self.phase = "rest"
            return self.timed(who, method, self.phase)(*args, **kwargs)

        return functools.wraps(method)(call)


@contextlib.contextmanager
def watched(costs: Costs) -> Iterator[dict[str, float]]:
    """Let every trainer be watched; gives the seconds of its ``fit``."""
    make, facts = Plan.trainer, {"fit": 0.0}

    def trainer(self: Plan, callbacks: Any) -> L.Trainer:
        made = make(self, callbacks)
        costs.watch(made)
        fit = made.fit

        def timed_fit(*args: Any, **kwargs: Any) -> None:
            start = time.perf_counter()
            fit(*args, **kwargs)
            facts["fit"] += time.perf_counter() - start
            facts["steps"] = made.global_step

        made.fit = timed_fit  # type: ignore[method-assign]
        return made

    Plan.trainer = trainer  # type: ignore[method-assign]
    try:
        yield facts
    finally:
        Plan.trainer = make  # type: ignore[method-assign]


def main(overrides: list[str]) -> None:
    """Train once and print the table."""
    costs = Costs()
    with tempfile.TemporaryDirectory() as folder, watched(costs) as facts:
        cfg = compose("train", [f"run.folder={folder}/run", *overrides])
        start = time.perf_counter()
        train(cfg)
        whole = time.perf_counter() - start
    names = ("", "ms a step", "between, s", "rest, s", "of fit", "of run")
    table = Table(title=f"{facts['steps']} steps, fit {facts['fit']:.1f} s, run {whole:.1f} s")
    for name in names:
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    ranked = sorted(costs.seconds.items(), key=lambda item: -sum(item[1].values()))
    for who, seconds in ranked:
        inside = seconds["steps"] + seconds["between"]
        table.add_row(
            who,
            f"{1000 * seconds['steps'] / max(facts['steps'], 1):.3f}",
            f"{seconds['between']:.3f}",
            f"{seconds['rest']:.3f}",
            f"{inside / facts['fit']:.1%}",
            f"{sum(seconds.values()) / whole:.1%}",
        )
    rich.print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
