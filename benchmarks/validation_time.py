"""Where the time of a validation goes: seconds by part, in one training.

    python benchmarks/validation_time.py experiment=multi30k/transformer_tiny \
        trainer.max_steps=60 trainer.val_check_interval=20 scheduler.warmup_steps=10 \
        callbacks.attention_maps.every_n_minutes=0

Arguments are those of ``tandem train``. Each part's time is without the parts inside of it. The
first validation stands alone, as it loads libraries; the others are a mean. What is done in a
thread beside the run is listed apart and is no part of the whole. On a GPU every part waits for
what it has started there, so that the sum is somewhat more than an undisturbed validation takes.
"""

import functools
import inspect
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import rich
import torch
from lightning.pytorch.loops.evaluation_loop import _EvaluationLoop
from rich.table import Table
from timing import device_name, synchronize

import tandem.callbacks
from tandem.callbacks import attention_maps
from tandem.commands.train import train
from tandem.config.launch import compose
from tandem.core.onlookers import public_methods
from tandem.data.module import DataModule
from tandem.data.tokenizers import Tokenizer
from tandem.inference.teacher_forcing import TeacherForcedTotals
from tandem.loggers import CSVLogger, MLflow, TensorBoard, Wandb
from tandem.metrics.base import Metric
from tandem.training import module

METHODS: dict[str, list[tuple[Any, str]]] = {
    "read sources": [(module, "encode")],
    "search": [(module, "generate")],
    "teacher forcing": [(TeacherForcedTotals, "add"), (TeacherForcedTotals, "means")],
    "ids to text": [(Tokenizer, "decode")],
    "sources, references": [(DataModule, "sources"), (DataModule, "references")],
    "samples": [(tandem.callbacks.SampleTable, "use")],
    "maps: weights": [(tandem.callbacks.AttentionMaps, "drawings")],
    "maps: the rest": [(tandem.callbacks.AttentionMaps, "use")],
    "maps: pictures": [(attention_maps, "write_picture")],
    "checkpoints": [
        (tandem.callbacks.BestCheckpoint, "on_validation_end"),
        (tandem.callbacks.LastCheckpoint, "on_validation_end"),
    ],
    "all else": [(_EvaluationLoop, "run")],
}
LOGGERS = (CSVLogger, TensorBoard, MLflow, Wandb)


class Parts:
    """Seconds of each part, a dictionary for each validation."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.validations: list[dict[str, float]] = []
        self.background: dict[str, float] = defaultdict(float)
        self.inside: list[float] = []
        """Seconds of parts that ended within each part that has begun."""

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose time counts as the part's."""

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if threading.current_thread() is not threading.main_thread():
                return self._in_background(part, function, *args, **kwargs)
            whole = part == "all else"
            name = type(args[0]).__name__ if part == "metric" else part
            if whole:
                self.validations.append(defaultdict(float))
            elif not self.inside:  # no validation
                return function(*args, **kwargs)
            start = time.perf_counter()
            self.inside.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                synchronize(self.device)
                seconds = time.perf_counter() - start
                self.validations[-1][name] += seconds - self.inside.pop()
                if self.inside:
                    self.inside[-1] += seconds

        return call

    def _in_background(
        self, part: str, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        start = time.thread_time()
        result = function(*args, **kwargs)
        self.background[part] += time.thread_time() - start
        return result

    def watch(self) -> None:
        """Time what takes part in a validation; until the process ends."""
        for part, methods in METHODS.items():
            for owner, name in methods:
                timed: Any = self.timed(part, getattr(owner, name))
                if isinstance(inspect.getattr_static(owner, name), staticmethod):
                    timed = staticmethod(timed)
                patch.object(owner, name, timed).start()
        patch.object(Metric, "__call__", self.timed("metric", Metric.__call__)).start()
        for logger in LOGGERS:
            for name in public_methods(logger):
                if name in vars(logger):
                    method = self.timed("loggers", getattr(logger, name))
                    patch.object(logger, name, method).start()


def main(overrides: list[str]) -> None:
    """Train once and print the table."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parts = Parts(device)
    parts.watch()
    with tempfile.TemporaryDirectory() as folder:
        train(compose("train", [f"run.folder={folder}/run", "test=false", *overrides]))
    first, *others = (one for one in parts.validations if "search" in one)
    table = Table(title=f"A validation, seconds; {device_name(device)}")
    for name in ("", "first", f"mean of {len(others)} others"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    means = {
        name: sum(one.get(name, 0.0) for one in others) / max(len(others), 1)
        for name in {name: None for one in parts.validations for name in one}
    }
    for name, mean in sorted(means.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{first.get(name, 0.0):.3f}", f"{mean:.3f}")
    table.add_section()
    table.add_row("together", f"{sum(first.values()):.3f}", f"{sum(means.values()):.3f}")
    for name, seconds in parts.background.items():
        table.add_row(f"{name}, in the background, CPU", "", f"{seconds / (1 + len(others)):.3f}")
    rich.print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
