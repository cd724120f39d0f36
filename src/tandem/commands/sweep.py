"""Runs the trials of a study, each a ``tandem train`` in a process of its own."""

import json
import multiprocessing
import signal
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from omegaconf import DictConfig

from tandem.commands import cli, console
from tandem.config import checks, launch
from tandem.config.folders import find_study
from tandem.config.instantiate import check_values
from tandem.config.overrides import of_study
from tandem.core import printing
from tandem.core.command_line import key_of, override
from tandem.core.errors import InputError
from tandem.core.files import write_text
from tandem.core.run_record import read_record
from tandem.sweeps.averages import averages, averages_table, check_averaged
from tandem.sweeps.gpus import see_only, shares, visible_gpus
from tandem.sweeps.process import TrialProcess
from tandem.sweeps.runner import Limits, Runner
from tandem.sweeps.study import Point, Study, by_key, read_study
from tandem.sweeps.table import View, as_csv
from tandem.sweeps.trials import Row, Trial, Trials, alone_in

OURS = ("run.folder", "run.name", "resume")
"""What the sweep sets in each trial."""


@dataclass(frozen=True)
class Plan:
    """How a point of a study becomes a training.

    :param folder: of the sweep.
    :param overrides: what the command line gives to every trial.
    """

    study: Study
    folder: Path
    overrides: list[str]

    def run_folder(self, number: int) -> Path:
        """The folder of a trial."""
        return self.folder / f"{number:04d}"

    def choices(self, point: Point) -> list[str]:
        """The arguments that make a training what it is."""
        texts = {**self.study.fixed, **point}
        chosen = {key_of(key): of_study(key, text) for key, text in texts.items()}
        return [*(chosen | {key_of(word): word for word in self.overrides}).values()]

    def arguments(self, number: int, point: Point, loggers: list[str]) -> list[str]:
        """All arguments of a trial; one that was stopped goes on in its folder."""
        group = [override("logger.wandb.group", self.study.name)]
        return [
            *(group if "wandb" in loggers else []),
            *self.choices(point),
            override("run.name", f"{self.study.name}-{number:04d}"),
            override("run.folder", str(self.run_folder(number))),
            "resume=true",
        ]


def sweep(cfg: DictConfig, overrides: list[str], command: str) -> Row | None:
    """Run what is missing of a study's trials.

    :param cfg: a composed ``sweep`` config.
    :param overrides: what every training gets beside its point.
    :param command: the command line that goes on with the sweep, for the record.
    :return: the best trial.
    :raises InputError: if something in the study or the config cannot work.
    """
    console.set_up(None)
    check_values(cfg)
    study = read_study(find_study(str(cfg.file)))
    folder = Path(cfg.folder or f"outputs/sweeps/{study.name}")
    plan = Plan(study, folder, overrides)
    over = [cfg.average] if isinstance(cfg.average, str) else list(cfg.average or [])
    check_averaged(over, list(study.parameters))
    check_overrides(plan)
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as elsewhere:
        # As torch's threads, and its hold on a GPU, once started, do not survive the trials' forks.
        loggers, gpus = elsewhere.submit(check_points, plan).result()
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder):
        trials = Trials(study, folder, count=cfg.trials, seed=cfg.sampler_seed)
        trials.check_same(by_key(plan.overrides), folder)
        if cfg.retry_failed:
            trials.retry_failed()
        try:
            _runner(plan, trials, cfg, loggers=loggers, gpus=gpus).run()
        except KeyboardInterrupt:
            printing.console().print(f"Stopped; to go on: {command}", soft_wrap=True, style="bold")
            raise SystemExit(128 + signal.SIGINT) from None
        best = report(plan, trials)
        scores = _scores(plan, trials)
        if over and scores:
            printing.console().print(averages_table(averages(scores, over), over))
        return best


def _scores(plan: Plan, trials: Trials) -> list[tuple[Point, dict[str, float]]]:
    """Points and final scores of the complete trials: on test, or on validation without a test."""
    found = []
    for row in trials.rows():
        if row.state == "complete":
            record = read_record(plan.run_folder(row.number)).get("metrics", {})
            test = {name: value for name, value in record.items() if name.startswith("test/")}
            rest = {name: value for name, value in record.items() if name.startswith("val/")}
            found.append((row.point, test or rest))
    return found


def check_overrides(plan: Plan) -> None:
    """Refuse arguments that would undo what the study or the sweep sets."""
    given = [key_of(word) for word in plan.overrides]
    for key in given:
        if key in plan.study.parameters:
            raise InputError(
                f"{key} varies in this study, so the command line cannot set it; leave it out, or "
                "change the study."
            )
    for key in OURS:
        if key in {*given, *map(key_of, plan.study.fixed), *plan.study.parameters}:
            raise InputError(f"{key} is set by the sweep for each trial; leave it out.")


def check_points(plan: Plan) -> tuple[list[str], list[str]]:
    """Compose and check trainings in which each value comes at least once.

    :return: the loggers of a trial, and the GPUs that there are for trials.
    :raises InputError: for the first that cannot work.
    """
    gpus: list[str] = []
    for point in plan.study.probes():
        cfg = launch.compose("train", plan.choices(point))
        scores = checks.validation_scores(cfg, checks.check(cfg).metrics)
        _check_metric(plan.study, cfg, scores)
        if cfg.trainer.accelerator != "cpu":
            gpus = visible_gpus()
    return list(cfg.logger or {}), gpus


def _check_metric(study: Study, cfg: DictConfig, modes: Mapping[str, str]) -> None:
    if study.metric not in modes:
        raise InputError(
            f"metric.name ({study.metric}) must be one of what validation logs: "
            f"{', '.join(modes)}; choose one or add its metric."
        )
    if not study.goal.startswith(modes[study.metric]):
        raise InputError(
            f"metric.goal ({study.goal}) selects the worst {study.metric}; set it to "
            f"{modes[study.metric]}imize."
        )
    if study.halving and not cfg.logger:
        raise InputError(
            "early_terminate looks into metrics.csv, which logger=none leaves out; choose "
            "logger=csv."
        )


def _runner(
    plan: Plan, trials: Trials, cfg: DictConfig, *, loggers: list[str], gpus: list[str]
) -> Runner:
    threads = max(1, torch.get_num_threads() // cfg.workers)
    masks = shares(gpus, cfg.workers)
    places: list[TrialProcess | None] = [None] * cfg.workers

    def start(trial: Trial) -> TrialProcess:
        free = next(k for k, one in enumerate(places) if one is None or not one.is_running)

        def training(arguments: list[str]) -> None:
            torch.set_num_threads(threads)
            see_only(masks[free])
            cli.call("train", arguments)

        arguments = plan.arguments(trial.number, trial.point, loggers)
        places[free] = process = TrialProcess(training, arguments, plan.run_folder(trial.number))
        return process

    return Runner(
        trials,
        start=start,
        run_folder=plan.run_folder,
        write_results=lambda: write_results(plan, trials),
        view=View(metric=plan.study.metric, goal=plan.study.goal, total=trials.total),
        workers=cfg.workers,
        limits=Limits(
            time_limit=cfg.time_limit, stalled_after=cfg.stalled_after, retries=cfg.retries
        ),
    )


def write_results(plan: Plan, trials: Trials) -> None:
    """Write the table of trials, and the best of them if there is one."""
    rows = trials.rows()
    write_text(plan.folder / "trials.csv", as_csv(rows, plan.study.metric))
    best = trials.best()
    if best:
        record = {
            **asdict(best),
            "metric": plan.study.metric,
            "folder": str(plan.run_folder(best.number)),
            "command": launch.command_line("train", plan.choices(best.point)),
        }
        write_text(plan.folder / "best.json", json.dumps(record, indent=2))


def report(plan: Plan, trials: Trials) -> Row | None:
    """Print how the sweep ended, with the command that repeats the best training."""
    write_results(plan, trials)
    rows, best = trials.rows(), trials.best()
    failed = [row for row in rows if row.state == "failed"]
    terminal = printing.console()
    terminal.print(f"Trials: {len(rows)}, in {plan.folder}/trials.csv", soft_wrap=True)
    for row in failed:
        terminal.print(f"Trial {row.number} failed: {row.error}", soft_wrap=True)
    if failed:
        terminal.print("retry_failed=true runs the failed trials again.")
    if best:
        command = launch.command_line("train", plan.choices(best.point))
        found = f"Best: trial {best.number}, {plan.study.metric} {best.value:g}"
        terminal.print(f"{found}\n{command}", soft_wrap=True)
    return best
