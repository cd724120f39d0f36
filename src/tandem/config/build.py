"""From a composed config to objects: the only place that instantiates what a config names."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import lightning as L
from omegaconf import DictConfig, OmegaConf

from tandem.callbacks import AtomicCheckpointIO, PlateauSteps
from tandem.config.instantiate import make, plain
from tandem.core.errors import InputError
from tandem.data.augmentation import Augmentation
from tandem.data.batching import Budget
from tandem.data.features import Features
from tandem.data.module import DataModule, LengthFilter
from tandem.data.preprocessing import LearnProcessors, Processors
from tandem.data.readers import FileReader
from tandem.data.stream import StreamOptions
from tandem.metrics import Metric
from tandem.models import Seq2Seq, assemble
from tandem.search import Search
from tandem.training.distributed import cluster_environment
from tandem.training.module import Seq2SeqModule
from tandem.training.noise import Noise
from tandem.training.optimizer_groups import GroupedOptimizer, parameter_groups
from tandem.training.self_critical import SelfCritical
from tandem.training.warm_start import Start, load_start

logger = logging.getLogger(__name__)

MODEL_PARTS = ("frontend", "encoder", "decoder")


def build_model(
    cfg: DictConfig, *, source_size: int, target_size: int, shared_vocabulary: bool
) -> Seq2Seq:
    """The network, with the sizes that the data decides."""
    return assemble(
        **{part: make(cfg[part]) for part in MODEL_PARTS},
        **OmegaConf.to_container(cfg.model, resolve=True),  # type: ignore[arg-type]
        ctc_weight=cfg.objective.ctc_weight,
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


def build_features(cfg: DictConfig) -> Features | None:
    """What reads sources that are not text."""
    features: Features | None = make(cfg.features) if cfg.features else None
    if features is not None and cfg.data.truncate_source is not None:
        raise InputError(
            f"data.truncate_source={cfg.data.truncate_source} needs sources that are text, but "
            "`features` is set; remove one of them."
        )
    return features


def build_data(cfg: DictConfig) -> DataModule:
    """The data module; nothing is read yet."""
    source_recipe, target_recipe = make(cfg.source_tokenizer or cfg.tokenizer), make(cfg.tokenizer)
    features = build_features(cfg)
    learn = LearnProcessors(
        reader=FileReader(features, spec=plain(cfg.features)) if features else None,
        source_recipe=source_recipe,
        target_recipe=target_recipe,
        truncate_source=cfg.data.truncate_source,
    )
    return DataModule(
        load=make(cfg.dataset, _partial_=True),
        learn=learn if cfg.init_from is None else lambda _: build_start(cfg).processors(learn),
        length_filter=LengthFilter(
            max_source_length=cfg.data.max_source_length,
            max_target_length=cfg.data.max_target_length,
        ),
        skip_bad=cfg.data.on_bad_example == "skip",
        budget=Budget(**cfg.batching),
        stream_options=StreamOptions(**cfg.stream),
        overfit=cfg.data.overfit,
        augmentation=Augmentation(
            source_cutter=source_recipe.cutter,
            target_cutter=target_recipe.cutter,
            curriculum=make(cfg.curriculum) if cfg.curriculum else None,
            seed=cfg.seed,
        ),
        seed=cfg.seed,
    )


def build_module(cfg: DictConfig, processors: Processors, max_length: int) -> Seq2SeqModule:
    """Model, loss, optimizer and search in one Lightning module."""
    model = build_model(
        cfg,
        source_size=processors.source.size,
        target_size=processors.target.vocabulary_size,
        shared_vocabulary=processors.shared,
    )
    if cfg.init_from is not None:
        build_start(cfg).give(model)
    optimizer = build_optimizer(cfg)
    optimizer.freeze(model)
    return Seq2SeqModule(
        model=model,
        processors=processors,
        search=build_search(cfg),
        max_length=max_length,
        objective=make(cfg.objective),
        risk=build_risk(cfg),
        noise=build_noise(cfg),
        optimizer=optimizer,
        scheduler=make(cfg.scheduler),
        seed=cfg.seed,
    )


def build_optimizer(cfg: DictConfig) -> GroupedOptimizer:
    """What makes an optimizer of a model's parameters."""
    spec = plain(cfg.optimizer)
    groups = parameter_groups(spec.pop("groups"))
    return GroupedOptimizer(make(spec), groups)


def build_start(cfg: DictConfig) -> Start:
    """The bundle that training begins with."""
    return load_start(cfg.init_from, plain(cfg))


def build_risk(cfg: DictConfig) -> SelfCritical | None:
    """What trains on outputs of the model's own."""
    if cfg.risk is None:
        return None
    if cfg.init_from is None:
        raise InputError(
            "`risk` trains on outputs that the model draws itself, which a random model cannot "
            "learn from; add init_from=outputs/run, a trained run with the same parts."
        )
    risk: SelfCritical = make(cfg.risk)
    return risk


def build_noise(cfg: DictConfig) -> list[Noise]:
    """What is done to batches of training."""
    return [make(noise) for noise in (cfg.noise or {}).values()]


def build_callbacks(cfg: DictConfig) -> list[L.Callback]:
    """What watches the run."""
    return [make(callback) for callback in (cfg.callbacks or {}).values()]


def build_trainer(cfg: DictConfig, callbacks: Sequence[L.Callback]) -> L.Trainer:
    """Lightning's trainer with loggers and checkpoints that are never half-written.

    :param callbacks: stand before those of the config.
    """
    logger.info("Monitor: %s (%s)", cfg.monitor.name, cfg.monitor.mode)
    loggers = [make(one) for one in (cfg.logger or {}).values()]
    trainer: L.Trainer = make(
        cfg.trainer,
        callbacks=[*callbacks, PlateauSteps(), *build_callbacks(cfg)],
        logger=loggers or False,
        plugins=[AtomicCheckpointIO(), cluster_environment()],
        default_root_dir=cfg.run.folder,
        enable_checkpointing=any(key in (cfg.callbacks or {}) for key in ("best", "last")),
        enable_progress_bar="progress" in (cfg.callbacks or {}),
        reload_dataloaders_every_n_epochs=1,  # an epoch has its own number of batches
    )
    return trainer


def model_spec(config: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a plain config from which a bundle rebuilds the model."""
    parts = {part: config[part] for part in MODEL_PARTS}
    return {**parts, "model": config["model"] | {"ctc_weight": config["objective"]["ctc_weight"]}}
