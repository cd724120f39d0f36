"""Trains a model: data, model, callbacks, fit, test, bundle."""

import json
import logging
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning as L
import rich
import yaml
from omegaconf import DictConfig, OmegaConf

from tandem import __version__
from tandem.callbacks import TextMetrics, TrainingTime, read_checkpoint, settle_weights
from tandem.commands import console
from tandem.config import build, checks, launch
from tandem.config.instantiate import plain
from tandem.config.plan import Plan
from tandem.config.positions import check_positions
from tandem.core.errors import InputError
from tandem.core.files import write_atomically
from tandem.core.kernels import keep_kernels
from tandem.core.stopping import stopped_by_signals
from tandem.data.module import DataModule
from tandem.inference.bundle import save_bundle
from tandem.loggers import CSVLogger, finish
from tandem.reports.summary import summary_table
from tandem.training.distributed import ElasticLaunch
from tandem.training.module import Seq2SeqModule

logger = logging.getLogger(__name__)


def train(cfg: DictConfig, command: str = "") -> dict[str, float]:
    """Train as the config says.

    :param cfg: a composed ``train`` config.
    :param command: the command line that repeats the run, for the record.
    :return: the final metrics by the names they are logged under.
    :raises InputError: if something in the config or the data cannot work.
    """
    plan = checks.check(cfg)
    ranks = ElasticLaunch(
        devices=cfg.trainer.devices,
        num_nodes=cfg.trainer.num_nodes,
        strategy=cfg.trainer.strategy,
        run_id=Path(cfg.run.folder).name,
        **cfg.launch,
    )
    folder = open_folder(cfg)
    console.set_up(folder / "train.log")
    with stopped_by_signals():
        if ranks.world_size == 1:
            return train_here(plan, command)
        plan.data.prepare()  # so that the processes find all of it in the cache
        return ranks.run(train_as_rank, config=plain(cfg), command=command)


def train_as_rank(
    *, config: dict[str, Any], command: str, rank: int, restarted: bool
) -> dict[str, float]:
    """One of several processes: the first one writes, and the others are silent.

    :param restarted: whether a process died, so that all go on from the last checkpoint.
    """
    if rank == 0:
        console.set_up(Path(config["run"]["folder"]) / "train.log")
    else:
        console.set_up(None, level=logging.ERROR)
    logging.getLogger("tandem.data").setLevel(logging.ERROR)  # it has had its say
    if restarted:
        logger.warning("A process died; all of them start again")
        config["resume"] = True
    with stopped_by_signals():
        return train_here(checks.check(OmegaConf.create(config)), command)


def train_here(plan: Plan, command: str) -> dict[str, float]:
    """Train in this process, which may be one of several."""
    cfg, data = plan.cfg, plan.data
    folder = Path(cfg.run.folder)
    keep_kernels()
    L.seed_everything(cfg.seed, verbose=False)
    text_metrics = TextMetrics(metrics=plan.metrics)
    clock = TrainingTime()
    trainer = plan.trainer([text_metrics, clock])
    exit_code = 1
    try:
        processors = data.prepare()
        max_length = cfg.max_length or 2 * data.longest_target() + 10
        module = plan.module(processors, max_length)
        check_positions(module.model, data, max_length)
        logger.info("Model: %s parameters", f"{module.model.num_parameters():,}")
        if trainer.is_global_zero:
            write_config(folder, cfg)
        settings = plain(cfg) | {"parameters": module.model.num_parameters()}
        for one in trainer.loggers:
            one.log_hyperparams(settings)
        fit(trainer, module, data, folder, resume=cfg.resume)
        logger.info("Trained for %.0f seconds, %s steps", clock.seconds, trainer.global_step)
        metrics = final_metrics(trainer, module, data, cfg)
        exit_code = 0
    finally:
        finish(trainer.loggers, exit_code)
    if trainer.is_global_zero:
        facts = run_facts(cfg, module, clock.seconds, command, text_metrics)
        write_results(cfg, module, metrics, facts)
    return metrics


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
    write_atomically(
        folder / "run.json", json.dumps({"metrics": metrics, **facts}, indent=2).encode()
    )
    rich.print(
        summary_table(
            cfg.run.name,
            metrics,
            written_paths(folder),
            {
                "parameters": f"{facts['parameters']:,}",
                "training time": f"{facts['training_seconds']:.0f} s",
            },
        )
    )


def open_folder(cfg: DictConfig) -> Path:
    """Make the run's folder, or find the one to resume in; never write over another run."""
    folder = Path(cfg.run.folder)
    config = folder / "config.yaml"
    if not cfg.resume and _holds_a_run(folder):
        raise InputError(
            f"The run folder {folder} already exists; choose another run.folder, or continue that "
            "run with resume=true."
        )
    if config.exists():
        _check_same(yaml.safe_load(config.read_text()), plain(cfg), config)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The run folder {folder} cannot be made ({error.strerror}); choose another run.folder."
        ) from error
    return folder


def _holds_a_run(folder: Path) -> bool:
    """Whether there is more than what a start that failed leaves behind."""
    if not folder.is_dir():
        return folder.exists()
    return any(path.name not in ("train.log", "wandb") for path in folder.iterdir())


def _check_same(old: dict[str, Any], new: dict[str, Any], path: Path) -> None:
    """A run goes on with the config it began with, but for how long it trains."""
    free = {"resume", "test", "callbacks", "logger", "run", "launch"}
    limits = {"max_epochs", "max_steps", "max_time"}
    for config in (old, new):
        for key in limits:
            config["trainer"].pop(key, None)
    different = sorted(
        key for key in old.keys() | new.keys() if key not in free and old.get(key) != new.get(key)
    )
    if different:
        raise InputError(
            f"resume=true needs the options that the run began with, but these differ from {path}: "
            f"{', '.join(different)}; give the same ones, or choose another run.folder."
        )


def write_config(folder: Path, cfg: DictConfig) -> None:
    """Write down the resolved config."""
    text = yaml.safe_dump(plain(cfg), sort_keys=False, allow_unicode=True)
    write_atomically(folder / "config.yaml", text.encode())


def fit(
    trainer: L.Trainer,
    module: Seq2SeqModule,
    data: DataModule,
    folder: Path,
    *,
    resume: bool,
) -> None:
    """Train, from the last checkpoint if there is one to resume from."""
    last = folder / "checkpoints" / "last.ckpt"
    checkpoint = str(last) if resume and last.is_file() else None
    if resume:
        logger.info("Resuming from %s" if checkpoint else "Nothing to resume at %s", last)
        step = read_checkpoint(last)["global_step"] if checkpoint else 0
        for one in trainer.loggers:
            if isinstance(one, CSVLogger):
                one.rewind(step)
    trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True)


def final_metrics(
    trainer: L.Trainer, module: Seq2SeqModule, data: DataModule, cfg: DictConfig
) -> dict[str, float]:
    """Settle on the weights to keep and score them on validation and, if wanted, on test."""
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    monitor = cfg.monitor
    if settle_weights(trainer, module, data, monitor=monitor.name, mode=monitor.mode):
        metrics |= {name: float(value) for name, value in trainer.callback_metrics.items()}
    if cfg.test:
        trainer.test(module, datamodule=data, verbose=False)
        metrics |= {name: float(value) for name, value in trainer.callback_metrics.items()}
    return metrics


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
    cfg: DictConfig, module: Seq2SeqModule, seconds: float, command: str, scores: TextMetrics
) -> dict[str, Any]:
    """What ``run.json`` says beside the metrics."""
    libraries = ("torch", "lightning", "hydra-core", "tokenizers", "datasets", "sacrebleu")
    return {
        "parameters": module.model.num_parameters(),
        "training_seconds": round(seconds, 1),
        "seed": cfg.seed,
        "command": command,
        "signatures": scores.signatures,
        "versions": {
            "tandem": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in libraries},
        },
    }


def written_paths(folder: Path) -> dict[str, str]:
    """The paths of a run's folder that exist, by what they are."""
    names = {
        "bundle": "bundle",
        "record": "run.json",
        "metrics": "metrics.csv",
        "samples": "samples.jsonl",
        "outputs of the test split": "test.jsonl",
        "attention maps": "attention",
        "W&B (offline)": "wandb",
    }
    return {what: str(folder / name) for what, name in names.items() if (folder / name).exists()}


def main(arguments: list[str]) -> None:
    """The command ``tandem train``."""
    launch.run("train", arguments, train)
