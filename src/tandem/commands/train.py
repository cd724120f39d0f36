"""Trains a model: data, model, callbacks, fit, test, bundle."""

import logging
import platform
from collections.abc import Mapping
from contextlib import ExitStack, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning as L
import yaml
from omegaconf import DictConfig, OmegaConf

from tandem import __version__
from tandem.callbacks import (
    LoggedMetrics,
    TextMetrics,
    TrainingRecord,
    TrainingTime,
    find_checkpoint,
    logged_metrics,
    settle_weights,
)
from tandem.commands import console
from tandem.config import build, checks
from tandem.config.instantiate import check_values, plain
from tandem.config.plan import Plan
from tandem.config.positions import check_positions
from tandem.config.run_folder import check_same, locked, recorded, run_folder
from tandem.config.settle import continue_settled, settle
from tandem.core import printing
from tandem.core.allocator import keep_freed_memory
from tandem.core.command_line import as_literal
from tandem.core.devices import out_of_memory_explained
from tandem.core.errors import InputError
from tandem.core.files import write_text
from tandem.core.kernels import bound_kernels
from tandem.core.run_record import RECORD, read_record, timestamp, write_record
from tandem.core.stopping import stopped_by_signals
from tandem.data.module import DataModule
from tandem.data.preprocessing import Processors
from tandem.data.run_data import check_data, keep_data
from tandem.data.splitting import AUTO
from tandem.inference.bundle import save_bundle
from tandem.inference.reading import LONGEST_OUTPUT
from tandem.loggers import CSVLogger, finish
from tandem.reports.summary import ceiling_facts, print_summary
from tandem.training.compiling import check_compiler
from tandem.training.distributed import ElasticLaunch
from tandem.training.module import Seq2SeqModule

logger = logging.getLogger(__name__)

CURVES_ALONE = ("train/lr", "train/grad_norm", "train/tokens", "train/seconds")
"""Values that are logged, but say nothing of the model at the end of a run."""


def train(cfg: DictConfig, command: str = "") -> dict[str, float]:
    """Train as the config says.

    :param cfg: a composed ``train`` config.
    :param command: the command line that repeats the run, for the record.
    :return: the final metrics by the names they are logged under.
    :raises InputError: if something in the config or the data cannot work.
    """
    check_values(cfg)
    with stopped_by_signals(), run_folder(cfg) as folder:
        plan = checks.check(cfg)
        ranks = ElasticLaunch(
            devices=cfg.trainer.devices,
            num_nodes=cfg.trainer.num_nodes,
            run_id=folder.name,
            **cfg.launch,
        )
        continue_settled(plan, folder)
        check_same(folder, cfg)
        console.set_up(folder / "train.log")
        logger.info("Run folder: %s", folder)
        with nullcontext() if ranks.num_nodes > 1 else recorded(folder, command=command):
            if ranks.world_size == 1:
                return train_here(plan, command)
            prepare(plan)  # so that the processes find all of it in the cache
            return ranks.run(train_as_rank, config=plain(cfg), command=command)


def train_as_rank(
    *, config: dict[str, Any], command: str, rank: int, restarted: bool, heartbeat: L.Callback
) -> dict[str, float]:
    """One of several processes: the first one writes, and the others are silent.

    :param restarted: whether a process died, so that all go on from the last checkpoint.
    :param heartbeat: what tells the launcher that this process gets on.
    """
    folder = Path(config["run"]["folder"])
    keep_freed_memory()
    if rank == 0:
        console.set_up(folder / "train.log")
    else:
        console.set_up(None, level=logging.ERROR)
    for said in ("tandem.data", "tandem.config.settle"):  # in the process that starts the others
        logging.getLogger(said).setLevel(logging.ERROR)
    if restarted:
        logger.warning("A process died; all processes restart from the last checkpoint")
        config["resume"] = True
    with stopped_by_signals(), ExitStack() as stack:
        if rank == 0 and config["trainer"]["num_nodes"] > 1:  # who else should hold the lock
            stack.enter_context(locked(folder))
            stack.enter_context(recorded(folder, command=command))
        return train_here(checks.check(OmegaConf.create(as_literal(config))), command, heartbeat)


@out_of_memory_explained(
    "lower batching.max_tokens and batching.max_source_tokens, leave out long pairs with "
    "data.max_source_length and data.max_target_length, or set model.checkpointing=true"
)
def train_here(plan: Plan, command: str, *watchers: L.Callback) -> dict[str, float]:
    """Train in this process, which may be one of several."""
    cfg, data = plan.cfg, plan.data
    folder = Path(cfg.run.folder)
    bound_kernels()
    L.seed_everything(cfg.seed, verbose=False)
    text_metrics = TextMetrics(metrics=plan.metrics)
    clock, logged = TrainingTime(), LoggedMetrics()
    processors = prepare(plan)
    record = TrainingRecord(
        monitor=cfg.monitor.name, mode=cfg.monitor.mode, empty=plan.empty.get(cfg.monitor.name)
    )
    trainer = plan.trainer([*watchers, text_metrics, clock, record, logged])
    exit_code = 1
    try:
        if cfg.model.compile:
            check_compiler(trainer.strategy.root_device)
        max_length = cfg.max_length or min(2 * data.longest_target() + 10, LONGEST_OUTPUT)
        check_positions(plan.assemble(processors), data, max_length)
        plan.cache_encoder(processors, trainer.strategy.root_device)
        module = plan.module(processors, max_length)
        trained = log_parameters(plan, module)
        if trainer.is_global_zero:
            write_config(folder, cfg)
            keep_data(folder, data)
        settings = plain(cfg) | {"parameters": module.model.num_parameters()}
        for one in trainer.loggers:
            one.log_hyperparams(settings)
        fit(trainer, module, data, folder, resume=cfg.resume)
        ended = record.facts(trainer)
        logger.info(
            "Trained for %.0f seconds, %s steps in %s whole epochs; %s",
            clock.seconds,
            *(ended[name] for name in ("steps", "epochs", "why")),
        )
        metrics = results(logged.before) | final_metrics(trainer, module, data, cfg)
        exit_code = 0
    finally:
        finish(trainer.loggers, exit_code)
    if trainer.is_global_zero:
        if plan.adapter is not None:
            plan.adapter.merge(module.model)
        facts = run_facts(plan, module, clock.seconds, command, text_metrics)
        facts["trained_parameters"] = trained
        write_results(cfg, module, metrics, ended | facts)
    return metrics


def log_parameters(plan: Plan, module: Seq2SeqModule) -> int:
    """Say how large the model is, and how much of it is trained, which is returned."""
    total = module.model.num_parameters()
    trained = sum(one.numel() for one in plan.optimizer.trained(module.model).values())
    share = (
        "" if trained == total else f", of which {trained:,} ({trained / total:.2%}) are trained"
    )
    logger.info("Model: %s parameters%s", f"{total:,}", share)
    return trained


def prepare(plan: Plan) -> Processors:
    """Read the data, which of a run that goes on is to be the same as before, and settle by it."""
    plan.data.open()
    check_test_split(plan.cfg, plan.data)
    processors = plan.data.prepare()
    if build.goes_on(plan.cfg):
        check_data(Path(plan.cfg.run.folder), plan.data)
    settle(plan)
    return processors


def check_test_split(cfg: DictConfig, data: DataModule) -> None:
    """Refuse a test without a split for it, unless the config says that there is none."""
    if not cfg.test or data.has("test"):
        return
    if "test" not in cfg.dataset:
        remedy = "let the dataset return one"
    elif cfg.dataset.test in (None, AUTO):
        logger.info("There is no test split: dataset.test is %s", cfg.dataset.test or "null")
        return
    else:
        remedy = (
            f"correct dataset.test ({cfg.dataset.test}), or hold one out of the training split "
            "with dataset.test=0.1"
        )
    raise InputError(
        f"There is no test split, but test=true scores one; {remedy}, or set test=false."
    )


def write_results(
    cfg: DictConfig, module: Seq2SeqModule, metrics: dict[str, float], facts: dict[str, Any]
) -> None:
    """Write the bundle and the record of a finished run, and print its scores."""
    folder = Path(cfg.run.folder)
    save_bundle(
        folder / "bundle",
        model=module.model,
        processors=module.processors,
        max_length=module.max_length,
        config=bundle_config(plain(cfg)),
    )
    started = read_record(folder).get("started")
    times = {"started": started, "ended": timestamp()}
    write_record(folder, {"state": "finished", "metrics": metrics, **facts, **times})
    print_summary(
        printing.console(),
        str(cfg.run.name),
        metrics,
        written_paths(folder),
        {
            "parameters": f"{facts['parameters']:,}",
            "training time": f"{facts['training_seconds']:.0f} s",
            "training": f"{facts['steps']:,} steps in {facts['epochs']:,} whole epochs",
            "ended by": facts["why"],
            **ceiling_facts(facts["references"]),
        },
    )


def write_config(folder: Path, cfg: DictConfig) -> None:
    """Write down the resolved config."""
    config = plain(cfg) | {"resume": False}  # the same however often the run was resumed
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    write_text(folder / "config.yaml", text)


def fit(
    trainer: L.Trainer,
    module: Seq2SeqModule,
    data: DataModule,
    folder: Path,
    *,
    resume: bool,
) -> None:
    """Train, from the last checkpoint if there is one to resume from."""
    path = None
    if resume:
        path, checkpoint = find_checkpoint(folder / "checkpoints") or (None, {})
        check_epochs(trainer, checkpoint.get("epoch", 0))
        found = "Resuming from %s" if path else "No checkpoint in %s, so a new run starts"
        logger.info(found, path or folder)
        for one in trainer.loggers:
            if isinstance(one, CSVLogger):
                one.rewind(checkpoint.get("global_step", 0), checkpoint.get("pending_row"))
    trainer.fit(module, datamodule=data, ckpt_path=path, weights_only=True)


def check_epochs(trainer: L.Trainer, epochs: int) -> None:
    """Refuse to resume a run that has begun more epochs than it may have.

    :param epochs: those that are over.
    """
    limit = trainer.max_epochs
    if limit is not None and 0 <= limit < epochs:
        raise InputError(
            f"trainer.max_epochs is {limit}, but {epochs} epochs of this run are over; set it to "
            "a larger number, or end the run now with trainer.max_time=00:00:00:01."
        )


def final_metrics(
    trainer: L.Trainer, module: Seq2SeqModule, data: DataModule, cfg: DictConfig
) -> dict[str, float]:
    """Settle on the weights to keep and score them on validation and, if wanted, on test."""
    metrics = results(logged_metrics(trainer))
    monitor = cfg.monitor
    if settle_weights(trainer, module, data, monitor=monitor.name, mode=monitor.mode):
        metrics |= results(logged_metrics(trainer))
    if cfg.test and data.has("test"):
        trainer.test(module, datamodule=data, verbose=False)
        metrics |= results(logged_metrics(trainer))
    return metrics


def results(logged: Mapping[str, float]) -> dict[str, float]:
    """What was logged last, without what only makes sense as a curve."""
    return {name: value for name, value in logged.items() if name not in CURVES_ALONE}


def bundle_config(config: dict[str, Any]) -> dict[str, Any]:
    """What a bundle keeps of the config."""
    return {
        "model": build.model_spec(config),
        "search": config["search"],
        "scorer": config["scorer"] or {},
        "rule": config["rule"] or {},
        "dataset": config["dataset"],
        "metric": config["metric"],
        "batching": config["batching"],
    }


def run_facts(
    plan: Plan, module: Seq2SeqModule, seconds: float, command: str, scores: TextMetrics
) -> dict[str, Any]:
    """What ``run.json`` says beside the metrics."""
    libraries = ("torch", "lightning", "hydra-core", "tokenizers", "datasets", "sacrebleu")
    return {
        "parameters": module.model.num_parameters(),
        "training_seconds": round(seconds, 1),
        "seed": plan.cfg.seed,
        "command": command,
        "signatures": scores.signatures,
        "references": plan.references,
        "versions": {
            "tandem": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in libraries},
        },
    }


def written_paths(folder: Path) -> dict[str, str]:
    """The paths of a run's folder that exist, by what they are."""
    names = {
        "run": "",
        "bundle": "bundle",
        "record": RECORD,
        "metrics": "metrics.csv",
        "samples": "samples.jsonl",
        "outputs of the test split": "test.jsonl",
        "attention maps": "attention",
        "W&B (offline)": "wandb",
        "TensorBoard": "tensorboard",
    }
    return {what: str(folder / name) for what, name in names.items() if (folder / name).exists()}
