"""Trains a model: data, model, callbacks, fit, test, bundle."""

import json
import logging
import pickle
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning as L
import rich
import torch
import yaml
from omegaconf import DictConfig

from tandem import __version__, build, console, launch
from tandem.bundle import save_bundle
from tandem.callbacks import CSVLogger, TextMetrics, finish
from tandem.core.errors import InputError
from tandem.data.cache import write_atomically
from tandem.data.module import DataModule
from tandem.reports.summary import summary_table
from tandem.training.module import Seq2SeqModule

logger = logging.getLogger(__name__)


def train(cfg: DictConfig, command: str = "") -> dict[str, float]:
    """Train as the config says.

    :param cfg: a composed ``train`` config.
    :param command: the command line that repeats the run, for the record.
    :return: the final metrics by the names they are logged under.
    :raises InputError: if something in the config or the data cannot work.
    """
    build.check(cfg)
    folder = open_folder(cfg)
    console.set_up(folder / "train.log")
    L.seed_everything(cfg.seed, verbose=False)
    data = build.build_data(cfg)
    text_metrics = TextMetrics(metrics=build.build_metrics(cfg))
    trainer = build.build_trainer(cfg, text_metrics)
    exit_code = 1
    try:
        processors = data.prepare()
        module = build.build_module(cfg, processors, data.longest_target())
        logger.info("Model: %s parameters", f"{module.model.num_parameters():,}")
        write_config(folder, cfg)
        settings = build.plain(cfg) | {"parameters": module.model.num_parameters()}
        for one in trainer.loggers:
            one.log_hyperparams(settings)
        seconds = fit(trainer, module, data, folder, resume=cfg.resume)
        metrics = final_metrics(trainer, module, data, test=cfg.test)
        exit_code = 0
    finally:
        finish(trainer.loggers, exit_code)
    save_bundle(
        folder / "bundle",
        model=module.model,
        processors=processors,
        max_length=module.max_length,
        config=bundle_config(build.plain(cfg)),
    )
    facts = run_facts(cfg, module, seconds, command, text_metrics)
    write_atomically(
        folder / "run.json", json.dumps({"metrics": metrics, **facts}, indent=2).encode()
    )
    rich.print(
        summary_table(
            cfg.run.name,
            metrics,
            written_paths(folder),
            {
                "parameters": f"{module.model.num_parameters():,}",
                "training time": f"{seconds:.0f} s",
            },
        )
    )
    return metrics


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
        _check_same(yaml.safe_load(config.read_text()), build.plain(cfg), config)
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
    free = {"resume", "test", "callbacks", "logger", "run"}
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
    text = yaml.safe_dump(build.plain(cfg), sort_keys=False, allow_unicode=True)
    write_atomically(folder / "config.yaml", text.encode())


def fit(
    trainer: L.Trainer,
    module: Seq2SeqModule,
    data: DataModule,
    folder: Path,
    *,
    resume: bool,
) -> float:
    """Train, from the last checkpoint if there is one to resume from; return the seconds."""
    last = folder / "checkpoints" / "last.ckpt"
    checkpoint = str(last) if resume and last.is_file() else None
    if resume:
        logger.info("Resuming from %s" if checkpoint else "Nothing to resume at %s", last)
    if checkpoint:
        step = read_checkpoint(last)["global_step"]
        for one in trainer.loggers:
            if isinstance(one, CSVLogger):
                one.rewind(step)
    start = time.monotonic()
    trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    seconds = time.monotonic() - start
    logger.info("Trained for %.0f seconds, %s steps", seconds, trainer.global_step)
    return seconds


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint, which is data and runs no code."""
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return checkpoint
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        reason, *_ = str(error).splitlines() or [type(error).__name__]
        raise InputError(
            f"The checkpoint {path} cannot be read ({reason.rstrip('.')}); remove it to start "
            "again, or put back a whole one."
        ) from error


def final_metrics(
    trainer: L.Trainer, module: Seq2SeqModule, data: DataModule, *, test: bool
) -> dict[str, float]:
    """Return to the best checkpoint and score it on validation and, if wanted, on test."""
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    best = getattr(trainer.checkpoint_callback, "best_model_path", "")
    if best:
        module.load_state_dict(read_checkpoint(Path(best))["state_dict"])
        trainer.validate(module, datamodule=data, verbose=False)
        metrics |= {name: float(value) for name, value in trainer.callback_metrics.items()}
    if test:
        trainer.test(module, datamodule=data, verbose=False)
        metrics |= {name: float(value) for name, value in trainer.callback_metrics.items()}
    return metrics


def bundle_config(config: dict[str, Any]) -> dict[str, Any]:
    """What a bundle keeps of the config."""
    return {
        "model": build.model_spec(config),
        "search": config["search"],
        "features": config["features"],
        "truncate_source": config["data"]["truncate_source"],
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
