"""From a composed config to objects: the only place that instantiates what a config names."""

import inspect
from collections.abc import Mapping
from typing import Any

import lightning as L
from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tandem.callbacks import AtomicCheckpointIO, PlateauSteps, TextMetrics
from tandem.core.errors import InputError
from tandem.data.batching import Budget
from tandem.data.module import (
    LearnVocabularies,
    LengthFilter,
    TextDataModule,
    Vocabularies,
)
from tandem.metrics import Metric
from tandem.models import Seq2Seq, assemble
from tandem.search import Search
from tandem.training.module import Seq2SeqModule

MODEL_PARTS = ("frontend", "encoder", "decoder")
TRIAL_SIZE = 8


def check(cfg: DictConfig) -> None:
    """Build everything that needs no data, so that what cannot work fails before data loads.

    :raises InputError: in one sentence that names the keys.
    """
    check_values(cfg)
    check_targets(plain(cfg))
    shared = bool(OmegaConf.select(cfg, "tokenizer.shared"))
    model = build_model(
        cfg, source_size=TRIAL_SIZE, target_size=TRIAL_SIZE, shared_vocabulary=shared
    )
    make(cfg.loss)
    _check_optimizer(cfg, model)
    build_search(cfg)
    build_metrics(cfg)
    build_data(cfg)
    scores = _score_names(cfg)
    if cfg.monitor.name not in scores:
        raise InputError(
            f"`monitor.name` ({cfg.monitor.name}) must be one of what this run logs: "
            f"{', '.join(scores)}; choose one or add its metric."
        )


def _check_optimizer(cfg: DictConfig, model: Seq2Seq) -> None:
    """Try out what would fail only after the data is loaded."""
    try:
        optimizer = make(cfg.optimizer)(model.parameters())
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The options under `optimizer` do not fit {cfg.optimizer._target_} ({error}); correct "
            "them."
        ) from error
    make(cfg.scheduler)(optimizer)
    clips = cfg.trainer.precision == "16-mixed" and cfg.trainer.gradient_clip_val
    if clips and getattr(optimizer, "_step_supports_amp_scaling", False):
        raise InputError(
            "trainer.precision=16-mixed cannot clip gradients under a fused optimizer; set "
            "optimizer.fused=false or trainer.gradient_clip_val=null."
        )


def check_values(cfg: DictConfig) -> None:
    """Refuse a config in which a value is missing or points nowhere."""
    try:
        missing = sorted(OmegaConf.missing_keys(cfg))
        OmegaConf.to_container(cfg, resolve=True)
    except OmegaConfBaseException as error:
        reason, *_ = str(error).splitlines()
        raise InputError(
            f"The value of {error.full_key or 'a key'} cannot be resolved: {reason}; correct it on "
            "the command line."
        ) from error
    if missing:
        raise InputError(
            f"The config needs a value for {', '.join(missing)}; add {missing[0]}=... to the "
            "command line."
        )


def check_targets(config: Any, path: str = "") -> None:
    """Refuse a ``_target_`` that does not exist, or a key that its signature does not have.

    :param config: plain data, searched at any depth.
    :param path: the key under which it stands.
    """
    if isinstance(config, list):
        for place, item in enumerate(config):
            check_targets(item, f"{path}[{place}]")
    if not isinstance(config, dict):
        return
    if "_target_" in config:
        _check_keys(config, path)
    for key, value in config.items():
        check_targets(value, f"{path}.{key}" if path else str(key))


def _check_keys(config: dict[str, Any], path: str) -> None:
    """Hold the keys of one object against the signature of what makes it."""
    target = config["_target_"]
    try:
        parameters = inspect.signature(get_object(target)).parameters
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}._target_={target} cannot be imported; correct the name or install its package."
        ) from error
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for key in config:
        if key not in parameters and not key.startswith("_"):
            raise InputError(
                f"The key {path}.{key} does not exist; {target} has {', '.join(parameters)}."
            )


def make(config: Any, **arguments: Any) -> Any:
    """Hydra's instantiate; a mistake of the user's comes out as it was raised."""
    try:
        return instantiate(config, **arguments)
    except InstantiationException as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from error
        raise


def build_model(
    cfg: DictConfig, *, source_size: int, target_size: int, shared_vocabulary: bool
) -> Seq2Seq:
    """The network, with the sizes that the data decides."""
    return assemble(
        **{part: make(cfg[part]) for part in MODEL_PARTS},
        **OmegaConf.to_container(cfg.model, resolve=True),  # type: ignore[arg-type]
        source_size=source_size,
        target_size=target_size,
        shared_vocabulary=shared_vocabulary,
    )


def build_search(cfg: DictConfig) -> Search:
    """The search of evaluation."""
    search: Search = make(cfg.search)
    return search


def build_metrics(cfg: DictConfig) -> list[Metric]:
    """All chosen metrics."""
    return [make(metric) for metric in cfg.metric.values()]


def build_data(cfg: DictConfig) -> TextDataModule:
    """The data module; nothing is read yet."""
    return TextDataModule(
        load=make(cfg.dataset, _partial_=True),
        learn=LearnVocabularies(
            source_recipe=make(cfg.source_tokenizer or cfg.tokenizer),
            target_recipe=make(cfg.tokenizer),
        ),
        length_filter=LengthFilter(
            max_source_length=cfg.data.max_source_length,
            max_target_length=cfg.data.max_target_length,
        ),
        budget=Budget(**cfg.batching),
        overfit=cfg.data.overfit,
        seed=cfg.seed,
    )


def build_module(cfg: DictConfig, vocabularies: Vocabularies, longest_target: int) -> Seq2SeqModule:
    """Model, loss, optimizer and search in one Lightning module."""
    return Seq2SeqModule(
        model=build_model(
            cfg,
            source_size=vocabularies.source.vocabulary_size,
            target_size=vocabularies.target.vocabulary_size,
            shared_vocabulary=vocabularies.shared,
        ),
        vocabularies=vocabularies,
        search=build_search(cfg),
        max_length=cfg.max_length or 2 * longest_target + 10,
        loss=make(cfg.loss),
        optimizer=make(cfg.optimizer),
        scheduler=make(cfg.scheduler),
        seed=cfg.seed,
    )


def build_trainer(cfg: DictConfig, text_metrics: TextMetrics) -> L.Trainer:
    """Lightning's trainer with callbacks, loggers and checkpoints that are never half-written."""
    callbacks = [make(callback) for callback in (cfg.callbacks or {}).values()]
    loggers = [make(logger) for logger in (cfg.logger or {}).values()]
    trainer: L.Trainer = make(
        cfg.trainer,
        callbacks=[text_metrics, PlateauSteps(), *callbacks],
        logger=loggers or False,
        plugins=[AtomicCheckpointIO()],
        default_root_dir=cfg.run.folder,
        enable_checkpointing=any(key in (cfg.callbacks or {}) for key in ("best", "last")),
        enable_progress_bar="progress" in (cfg.callbacks or {}),
    )
    return trainer


def plain(cfg: DictConfig) -> dict[str, Any]:
    """The config with every interpolation resolved, as plain Python data."""
    resolved = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    assert isinstance(resolved, dict)
    return {str(key): value for key, value in resolved.items()}


def _score_names(cfg: DictConfig) -> list[str]:
    """What validation logs."""
    pair: tuple[list[str], list[list[str]]] = (["a b c d"], [["a b c d"]])
    names = ["loss", "perplexity", "token_accuracy"]
    for metric in build_metrics(cfg):
        names += list(metric(*pair))
    return [f"val/{name}" for name in names]


def model_spec(config: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a plain config from which a bundle rebuilds the model."""
    return {part: config[part] for part in (*MODEL_PARTS, "model")}
