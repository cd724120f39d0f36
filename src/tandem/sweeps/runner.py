"""Keeps trials running, several at a time, until there are none left."""

import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tandem.core.errors import NoRoomError
from tandem.core.run_record import is_finished, read_record
from tandem.sweeps.process import TrialProcess, wait
from tandem.sweeps.table import View
from tandem.sweeps.trials import Row, Trial, Trials

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a trial whose process does not end by itself is given up."""

    time_limit: float | None
    """Seconds of a trial, all its processes together; None for no limit."""
    stalled_after: float | None
    """Seconds without a sign of work until a process is ended; None: never."""
    retries: int
    """How often a trial goes on in another process, after one that was ended by the system or that
    stood still."""


class Runner:
    """Starts the next trial whenever one ends.

    :param trials: which come next, and where results go.
    :param start: starts the training of a trial.
    :param run_folder: the folder of a trial by its number.
    :param write_results: called after each trial.
    :param view: shows what is going on.
    :param workers: how many trials run at a time.
    :param limits: when a trial is given up.
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
        limits: Limits,
    ) -> None:
        self._trials = trials
        self._start = start
        self._run_folder = run_folder
        self._write_results = write_results
        self._view = view
        self._workers = workers
        self._limits = limits
        self._running: dict[Trial, TrialProcess] = {}

    def run(self) -> None:
        """Return when every trial has ended; stop them all on Ctrl-C or SIGTERM.

        :raises NoRoomError: if a trial found the disk full, as the others would.
        """
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
            if is_finished(self._record(trial)):  # it had ended, but the sweep was killed first
                self._complete(trial, 0.0)
            else:
                self._running[trial] = self._start(trial)
                self._log(trial)
        return bool(self._running)

    def _look_at(self, trial: Trial) -> None:
        """Stop a trial that is hopeless, and record one that has ended."""
        process = self._running[trial]
        if process.is_running:
            if trial.is_hopeless(process.values(self._trials.study.metric)):
                process.stop()
                trial.prune(process.seconds)
            elif not self._is_given_up(trial, process):
                return
        elif is_finished(self._record(trial)):
            self._complete(trial, process.seconds)
        elif process.exit_code == NoRoomError.exit_code:
            raise NoRoomError(
                f"Trial {trial.number} found no room on the disk ({process.error().rstrip('.')}), "
                "so the sweep stops; free some space and give the same command, which goes on with "
                "the trial."
            )
        elif not (process.was_killed and self._resume(trial, process.error())):
            trial.fail(process.error(), process.seconds)
        if not self._running[trial].is_running:
            del self._running[trial]
        self._write_results()
        self._log(trial)

    def _is_given_up(self, trial: Trial, process: TrialProcess) -> bool:
        """End a process that is over its time or stands still; whether it was ended."""
        limit, silence = self._limits.time_limit, self._limits.stalled_after
        if limit is not None and trial.seconds + process.seconds > limit:
            process.stop()
            trial.fail(f"it took more than time_limit={limit:g} seconds", process.seconds)
            return True
        if silence is not None and process.silent_seconds() > silence:
            process.kill()
            reason = f"no sign of work for stalled_after={silence:g} seconds"
            if not self._resume(trial, reason):
                trial.fail(reason, process.seconds)
            return True
        return False

    def _resume(self, trial: Trial, reason: str) -> bool:
        """Let a trial go on in another process; whether it may."""
        if trial.resumed >= self._limits.retries:
            return False
        trial.resume(self._running[trial].seconds)
        logger.warning("Trial %d: %s; it continues from its last checkpoint", trial.number, reason)
        self._running[trial] = self._start(trial)
        return True

    def _complete(self, trial: Trial, seconds: float) -> None:
        metrics = self._record(trial)["metrics"]
        trial.complete(metrics.get(self._trials.study.metric), seconds)

    def _stop(self) -> None:
        """End what still runs; the next sweep resumes it."""
        for process in self._running.values():
            process.terminate()
        for trial, process in self._running.items():
            process.stop()
            trial.interrupt(process.seconds)

    def _record(self, trial: Trial) -> dict[str, Any]:
        return read_record(self._run_folder(trial.number))

    def _rows(self) -> list[Row]:
        """All trials; of those that run also the time so far."""
        seconds = {trial.number: process.seconds for trial, process in self._running.items()}
        return [
            replace(row, seconds=(row.seconds or 0.0) + seconds.get(row.number, 0.0))
            for row in self._trials.rows()
        ]

    def _log(self, trial: Trial) -> None:
        self._view.log(next(row for row in self._trials.rows() if row.number == trial.number))
