"""A training as the command line does it, whose steps and validations are timed."""

import time
from collections.abc import Sequence
from typing import Any
from unittest import mock

import lightning as L
from systems import Step, training_step
from timing import in_turns, synchronize

from tandem.commands.train import train
from tandem.config.launch import compose
from tandem.config.plan import Plan
from tandem.core.types import Batch
from tandem.training.module import Seq2SeqModule


class Watch(L.Callback):
    """Times what a training does, and keeps its module and some batches.

    :param warm_up: steps before the clock runs.
    :param keep: batches to keep, the first ones behind them.
    """

    def __init__(self, device: str, *, warm_up: int, keep: int) -> None:
        self.device, self.warm_up, self.keep = device, warm_up, keep
        self.symbols = 0
        self.seconds = 0.0
        self.validations: list[float] = []
        """Seconds that training waited for each."""
        self.batches: list[Batch] = []
        self.module: Seq2SeqModule | None = None
        self._since: float | None = None
        self._validating_since: float | None = None

    @property
    def rate(self) -> float:
        """Target tokens a second, validations left out."""
        return self.symbols / self.seconds

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        """Let the clock run from here on."""
        self._end_validation()
        if self._since is None and trainer.global_step >= self.warm_up:
            self._since = self._now()
        if self._since is not None and len(self.batches) < self.keep:
            self.batches.append(batch)

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        """Count."""
        if self._since is not None:
            self.symbols += batch.total_symbols

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Let the clock stand."""
        self._stop()
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._validating_since = self._now()

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop, and keep the module."""
        self._end_validation()
        self._stop()
        assert isinstance(pl_module, Seq2SeqModule)
        self.module = pl_module

    def bare_rate(self, rounds: int = 3) -> float:
        """Target tokens a second of the same model on the kept batches, without a trainer."""
        module = self.module
        assert module is not None

        def make() -> Step:
            model = module.model.to(self.device)
            return training_step(
                model, lambda batch: module.objective(model, batch)["loss"], "bf16-mixed"
            )

        symbols = sum(batch.num_symbols for batch in self.batches)
        timed = in_turns({"bare": make}, self.batches, symbols, rounds=rounds, device=self.device)
        return timed["bare"].rate

    def _now(self) -> float:
        synchronize(self.device)
        return time.perf_counter()

    def _stop(self) -> None:
        if self._since is not None:
            self.seconds += self._now() - self._since
            self._since = None

    def _end_validation(self) -> None:
        if self._validating_since is not None:
            self.validations.append(self._now() - self._validating_since)
            self._validating_since = None


def watched_run(overrides: Sequence[str], watch: Watch) -> tuple[dict[str, float], float]:
    """Train as ``tandem train`` does: the final metrics, and seconds all in all."""
    make, start = Plan.trainer, time.perf_counter()

    def trainer(plan: Plan, callbacks: Sequence[L.Callback]) -> L.Trainer:
        return make(plan, [watch, *callbacks])

    with mock.patch.object(Plan, "trainer", trainer):
        metrics = train(compose("train", list(overrides)))
    return metrics, time.perf_counter() - start
