"""What callbacks and loggers of a run cost: the time inside of each, in one training.

    python benchmarks/callback_cost.py dataset=reverse dataset.size=2000 encoder=gru hidden_size=32
    python benchmarks/callback_cost.py --wait trainer=gpu dataset=reverse dataset.size=2000

Further arguments are those of ``tandem train``. Times are wall seconds inside the hooks of a
callback and the methods of a logger: in training steps, between them (validations, ends of epochs),
and outside of ``fit``. A logger's are also inside the callback that uses it. On a GPU a hook that
reads a value waits for the steps before it, which then count as its own: with ``--wait`` the device
has nothing to do when a hook begins, and what the hook gives it to do is waited for. Steps take
longer then, as the host prepares none while the device works.
"""

import argparse
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
import torch
from rich.table import Table

from tandem.callbacks.onlooker import HOOKS
from tandem.commands.train import train
from tandem.config.launch import compose
from tandem.config.plan import Plan
from tandem.core.onlookers import public_methods


class Costs:
    """Seconds by who spent them and when: in a step, between steps, or behind training.

    :param clock: gives seconds.
    :param waits: whether the device is waited for at both ends of what is timed.
    """

    def __init__(self, clock: Callable[[], float], waits: bool) -> None:
        self.clock, self.waits = clock, waits
        self.seconds: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.phase = "rest"

    def now(self) -> float:
        """What the clock shows, when the device is ready."""
        if self.waits and torch.accelerator.is_available():
            torch.accelerator.synchronize()
        return self.clock()

    def timed(self, who: str, method: Callable[..., Any], phase: str | None) -> Callable[..., Any]:
        """The method, which counts its time; without a phase that of the caller."""

        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            start = self.now()
            try:
                return method(*args, **kwargs)
            finally:
                seconds = self.now() - start
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
            start = costs.now()
            fit(*args, **kwargs)
            facts["fit"] += costs.now() - start
            facts["steps"] = made.global_step

        made.fit = timed_fit  # type: ignore[method-assign]
        return made

    Plan.trainer = trainer  # type: ignore[method-assign]
    try:
        yield facts
    finally:
        Plan.trainer = make  # type: ignore[method-assign]


def main(arguments: list[str]) -> None:
    """Train once and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wait", action="store_true", help="wait for the device around each hook")
    parser.add_argument(
        "--processor",
        action="store_true",
        help="seconds of the training thread on a processor, which other programs do not stretch",
    )
    options, overrides = parser.parse_known_args(arguments)
    costs = Costs(time.thread_time if options.processor else time.perf_counter, options.wait)
    with tempfile.TemporaryDirectory() as folder, watched(costs) as facts:
        cfg = compose("train", [f"run.folder={folder}/run", *overrides])
        start = costs.now()
        train(cfg)
        whole = costs.now() - start
    names = ("", "ms a step", "between, s", "rest, s", "of fit", "of run")
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    title = f"{device}: {facts['steps']} steps, fit {facts['fit']:.1f} s, run {whole:.1f} s"
    table = Table(title=title)
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
