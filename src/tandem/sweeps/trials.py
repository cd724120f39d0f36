"""The trials of a study: asked of Optuna, and kept in a file that outlives a killed sweep."""

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.pruners import BasePruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from tandem.core.errors import InputError
from tandem.core.lock import LockedError, lock_folder
from tandem.sweeps.storage import open_storage
from tandem.sweeps.study import Point, Study

STORAGE = "study.db"
STATES = {
    TrialState.WAITING: "waiting",
    TrialState.RUNNING: "running",
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


@dataclass(frozen=True)
class Row:
    """What is known of one trial."""

    number: int
    state: str
    value: float | None
    seconds: float | None
    point: Point
    error: str


class Trial:
    """One trial that is being run."""

    def __init__(self, trial: optuna.Trial, study: Study) -> None:
        self.number = trial.number
        self.point = {name: one.suggest(trial, name) for name, one in study.parameters.items()}
        self._trial = trial
        self.resumed: int = trial.user_attrs.get("resumed", 0)
        """How often its process was lost and another one went on."""
        self.seconds = float(trial.user_attrs.get("seconds", 0))
        """Time of the processes that have ended."""
        frozen = trial.study.get_trials(deepcopy=False)[trial.number]
        self._reported = len(frozen.intermediate_values)

    def is_hopeless(self, values: Sequence[float]) -> bool:
        """Show Optuna the values of all validations so far; return whether to stop here."""
        for step in range(self._reported + 1, len(values) + 1):
            self._trial.report(values[step - 1], step)
            self._reported = step
            if self._trial.should_prune():
                return True
        return False

    def complete(self, value: float | None, seconds: float) -> None:
        """Record the final value and the seconds since the trial was started or resumed."""
        if value is None:
            self.fail("it ended before its first validation", seconds)
        elif math.isnan(value):
            self.fail("its final value is not a number", seconds)
        else:
            self._tell(seconds, values=value)

    def prune(self, seconds: float) -> None:
        """Record that the trial was stopped early."""
        self._tell(seconds, state=TrialState.PRUNED)

    def fail(self, error: str, seconds: float) -> None:
        """Record what went wrong."""
        self._trial.set_user_attr("error", error)
        self._tell(seconds, state=TrialState.FAIL)

    def interrupt(self, seconds: float) -> None:
        """Keep the time of a trial that the next sweep resumes."""
        self.seconds += seconds
        self._trial.set_user_attr("seconds", self.seconds)

    def resume(self, seconds: float) -> None:
        """Note that the trial goes on in another process."""
        self.interrupt(seconds)
        self.resumed += 1
        self._trial.set_user_attr("resumed", self.resumed)

    def _tell(self, seconds: float, **result: Any) -> None:
        self.interrupt(seconds)
        self._trial.study.tell(self._trial, **result)


class Trials:
    """All trials of a study, and which comes next.

    Only one process at a time may use a folder. Whatever is written is written in one
    transaction, so a process may be killed at any time.

    :param study: what is asked.
    :param folder: where the storage is, or will be made.
    :param count: how many trials there shall be; None where the grid or the study's cap says so.
    :param seed: of the draws. The draw of a trial depends on it, the trial's number and, for
        ``bayes``, on the results that there are.
    """

    def __init__(self, study: Study, folder: Path, *, count: int | None, seed: int) -> None:
        self.study = study
        self._seed = seed
        self._grid = study.grid() if study.method == "grid" else []
        self.total = self._limit(count)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna = optuna.create_study(
            storage=open_storage(folder / STORAGE),
            study_name=study.name,
            direction=study.goal,
            pruner=_pruner(study),
            load_if_exists=True,
        )
        self._interrupted = [one for one in self._all() if one.state == TrialState.RUNNING]

    def _limit(self, count: int | None) -> int:
        wanted = self.study.cap if count is None else count
        if self._grid:
            return min(wanted or len(self._grid), len(self._grid))
        if wanted is None:
            raise InputError(
                f"The study {self.study.name} draws its trials ({self.study.method}) and does not "
                "say how many; add trials=20, or run_cap to its file."
            )
        return wanted

    def check_same(self, overrides: Point, folder: Path) -> None:
        """Refuse to go on with a study that has changed since its first trial.

        :param overrides: what the command line gives to every trial.
        :param folder: for the message.
        """
        study = {key: value for key, value in asdict(self.study).items() if key != "cap"}
        asked = json.loads(json.dumps({**study, "overrides": overrides, "seed": self._seed}))
        begun = self._optuna.user_attrs.get("asked")
        if begun is None:
            self._optuna.set_user_attr("asked", asked)
            return
        different = [key for key in asked if asked[key] != begun.get(key)]
        if different:
            raise InputError(
                f"The sweep in {folder} began with another study: {', '.join(different)} differ; "
                "give the same, or choose another folder=..."
            )

    def retry_failed(self) -> None:
        """Put the points of failed trials into line again, each as a trial of its own."""
        retried = {one.user_attrs.get("retry_of") for one in self._all()}
        for one in self._all():
            if one.state == TrialState.FAIL and one.number not in retried:
                self._optuna.enqueue_trial(one.params, user_attrs={"retry_of": one.number})

    def next(self) -> Trial | None:
        """An interrupted trial, one that waits, a new one, or None if there are enough."""
        if self._interrupted:
            one = self._interrupted.pop(0)
            self._optuna.sampler = self._sampler(one.number)
            return Trial(optuna.Trial(self._optuna, one._trial_id), self.study)
        trials = self._all()
        if not any(one.state == TrialState.WAITING for one in trials):
            asked = sum("retry_of" not in one.user_attrs for one in trials)
            if asked >= self.total:
                return None
            if self._grid:
                self._optuna.enqueue_trial(self._grid[asked])
        self._optuna.sampler = self._sampler(len(trials))
        return Trial(self._optuna.ask(), self.study)

    def rows(self) -> list[Row]:
        """Every trial but those that were run again after they had failed."""
        trials = self._all()
        retried = {one.user_attrs.get("retry_of") for one in trials}
        return [self._row(one) for one in trials if one.number not in retried]

    def best(self) -> Row | None:
        """The complete trial with the best value; the first of several."""
        complete = [row for row in self.rows() if row.state == "complete"]
        sign = 1 if self.study.goal == "minimize" else -1
        return min(complete, key=lambda row: sign * (row.value or 0.0), default=None)

    def _row(self, one: FrozenTrial) -> Row:
        return Row(
            number=one.number,
            state=STATES[one.state],
            value=one.value,
            seconds=one.user_attrs.get("seconds"),
            point={name: str(value) for name, value in one.params.items()},
            error=one.user_attrs.get("error", ""),
        )

    def _all(self) -> list[FrozenTrial]:
        return self._optuna.get_trials(deepcopy=False)

    def _sampler(self, number: int) -> BaseSampler:
        """One for each trial, so that a killed sweep goes on with the draws that it would have."""
        seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        return TPESampler(seed=seed) if self.study.method == "bayes" else RandomSampler(seed=seed)


def _pruner(study: Study) -> BasePruner:
    if study.halving is None:
        return NopPruner()
    first, factor = study.halving.first, study.halving.factor
    return SuccessiveHalvingPruner(min_resource=first, reduction_factor=factor)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep a second sweep out of a folder; the system frees it however a process ends."""
    with ExitStack() as stack:
        try:
            stack.enter_context(lock_folder(folder))
        except LockedError as error:
            raise InputError(
                f"The sweep in {folder} is being run by {error}; wait for it, or choose another "
                "folder=..."
            ) from error
        yield
