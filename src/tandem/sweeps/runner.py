"""Keeps trials running, several at a time, until there are none left."""

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tandem.sweeps.process import TrialProcess, wait
from tandem.sweeps.table import View
from tandem.sweeps.trials import Row, Trial, Trials

SECONDS_BETWEEN_LOOKS = 0.5


class Runner:
    """Starts the next trial whenever one ends.

    :param trials: which come next, and where results go.
    :param start: starts the training of a trial.
    :param run_folder: the folder of a trial by its number.
    :param write_results: called after each trial.
    :param view: shows what is going on.
    :param workers: how many trials run at a time.
    """

    def __init__(
        self,
        trials: Trials,
        *,
        start: Callable[[Trial], TrialProcess],
        run_folder: Callable[[int], Path],
        write_results: Callable[[], None],
        view: View,
        workers: int,
    ) -> None:
        self._trials = trials
        self._start = start
        self._run_folder = run_folder
        self._write_results = write_results
        self._view = view
        self._workers = workers
        self._running: dict[Trial, TrialProcess] = {}

    def run(self) -> None:
        """Return when every trial has ended; stop them all on Ctrl-C or SIGTERM."""
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with self._view.open():
                while self._fill():
                    wait(self._running.values(), SECONDS_BETWEEN_LOOKS)
                    for trial in list(self._running):
                        self._look_at(trial)
                    self._view.draw(self._rows())
        finally:
            self._stop()
            signal.signal(signal.SIGTERM, before)

    def _fill(self) -> bool:
        """Start trials while there is room; return whether any is running."""
        while len(self._running) < self._workers and (trial := self._trials.next()):
            if self._record(trial).exists():  # it had ended, but the sweep was killed first
                self._complete(trial, 0.0)
            else:
                self._running[trial] = self._start(trial)
                self._log(trial)
        return bool(self._running)

    def _look_at(self, trial: Trial) -> None:
        """Stop a trial that is hopeless, and record one that has ended."""
        process = self._running[trial]
        if process.is_running:
            if not trial.is_hopeless(process.values(self._trials.study.metric)):
                return
            process.stop()
            trial.prune(process.seconds)
        elif self._record(trial).exists():
            self._complete(trial, process.seconds)
        else:
            trial.fail(process.error(), process.seconds)
        del self._running[trial]
        self._write_results()
        self._log(trial)

    def _complete(self, trial: Trial, seconds: float) -> None:
        metrics = json.loads(self._record(trial).read_text(encoding="utf-8"))["metrics"]
        trial.complete(metrics.get(self._trials.study.metric), seconds)

    def _stop(self) -> None:
        """End what still runs; the next sweep resumes it."""
        for process in self._running.values():
            process.terminate()
        for trial, process in self._running.items():
            process.stop()
            trial.interrupt(process.seconds)

    def _record(self, trial: Trial) -> Path:
        return self._run_folder(trial.number) / "run.json"

    def _rows(self) -> list[Row]:
        """All trials; of those that run also the time so far."""
        seconds = {trial.number: process.seconds for trial, process in self._running.items()}
        return [
            replace(row, seconds=(row.seconds or 0.0) + seconds.get(row.number, 0.0))
            for row in self._trials.rows()
        ]

    def _log(self, trial: Trial) -> None:
        self._view.log(next(row for row in self._trials.rows() if row.number == trial.number))
