"""From a composed config to objects: the only place that instantiates what a config names."""

import inspect
import logging
from collections.abc import Mapping
from typing import Any

import lightning as L
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from tandem.callbacks import AtomicCheckpointIO, PlateauSteps, TextMetrics
from tandem.core.errors import InputError
from tandem.data.batching import Budget
from tandem.data.features import Features
from tandem.data.module import DataModule, LengthFilter
from tandem.data.processors import LearnProcessors, Processors
from tandem.data.stream import StreamOptions
from tandem.data.variety import Variety
from tandem.metrics import Metric
from tandem.models import Seq2Seq, assemble, has_weights
from tandem.search import Search
from tandem.start import Start, load_start
from tandem.training.evaluation import check_search
from tandem.training.module import Seq2SeqModule
from tandem.training.noise import Noise
from tandem.training.self_critical import SelfCritical
from tandem.workers import cluster_environment

logger = logging.getLogger(__name__)

MODEL_PARTS = ("frontend", "encoder", "decoder")
TRIAL_SIZE = 8


def check(cfg: DictConfig) -> None:
    """Build everything that needs no data, so that what cannot work fails before data loads.

    In ``cfg``, a dataset's options for metrics that are not chosen are dropped, and its
    ``monitor`` is replaced if no chosen metric computes it.

    :raises InputError: in one sentence that names the keys.
    """
    check_values(cfg)
    _drop_other_metrics(cfg)
    check_targets(plain(cfg))
    _check_streaming(cfg)
    features = build_features(cfg)
    shared = features is None and bool(OmegaConf.select(cfg, "tokenizer.shared"))
    model = build_model(
        cfg,
        source_size=features.width if features else TRIAL_SIZE,
        target_size=TRIAL_SIZE,
        shared_vocabulary=shared,
    )
    _check_media(features, model)
    _check_objective(cfg, model)
    _check_optimizer(cfg, model)
    check_search(model, build_search(cfg))
    build_metrics(cfg)
    build_data(cfg)
    build_risk(cfg)
    for noise in build_noise(cfg):
        noise.check(model)
    build_callbacks(cfg)
    _settle_monitor(cfg)


def check_start(cfg: DictConfig) -> None:
    """Refuse a bundle to begin with that does not fit, before data loads."""
    if cfg.init_from is not None:
        build_module(cfg, build_data(cfg).learn(lambda column: ()), max_length=1)


def _check_streaming(cfg: DictConfig) -> None:
    """Refuse what cannot be told before a stream has been read."""
    if not cfg.data.streaming:
        return
    if "streaming" not in cfg.dataset:
        raise InputError(
            f"data.streaming=true needs a dataset that can be read as a stream, but "
            f"{cfg.dataset._target_} cannot; set data.streaming=false, or put the pairs into files "
            "for dataset=parallel, json or hub."
        )
    if cfg.max_length is None and cfg.data.overfit is None:
        raise InputError(
            "data.streaming=true needs max_length=..., the most symbols of an output, as the "
            "longest target of a stream is not known before its end."
        )
    for key in ("val_check_interval", "limit_train_batches"):
        if isinstance(cfg.trainer[key], float):
            raise InputError(
                f"trainer.{key}={cfg.trainer[key]} is a share of an epoch, but how many batches a "
                "stream has is not known before its end; give a whole number of batches."
            )


def _check_media(features: Features | None, model: Seq2Seq) -> None:
    """Refuse a frontend for another kind of source than the one there is."""
    given = "text" if features is None else features.media
    if model.frontend.media != given:
        raise InputError(
            f"`frontend` reads sources of the kind {model.frontend.media}, but `features` makes "
            f"them {given}; choose both for one kind: frontend=text without features, "
            "frontend=patches or cnn_stem with features=pixels, frontend=speech with "
            "features=log_mel."
        )


def _check_objective(cfg: DictConfig, model: Seq2Seq) -> None:
    """Refuse an objective that asks for what the model does not have."""
    objective = make(cfg.objective)
    sizes = {"input_size": cfg.model.embedding_size, "memory_size": model.encoder.output_size}
    if objective.coverage_weight and not has_weights(model.decoder, **sizes):
        raise InputError(
            f"objective.coverage_weight={objective.coverage_weight} needs attention weights, but "
            "this attention has none; choose another one, such as attention=additive, or set "
            "objective.coverage_weight=0."
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
        if "features." in str(error) and cfg.get("features", True) is None:
            raise InputError(
                "This frontend reads pictures or recordings, but `features` is not set; add "
                "features=pixels (pictures) or features=log_mel (recordings), or choose "
                "frontend=text."
            ) from error
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
    learn = LearnProcessors(
        features=build_features(cfg), source_recipe=source_recipe, target_recipe=target_recipe
    )
    return DataModule(
        load=make(cfg.dataset, _partial_=True),
        learn=learn if cfg.init_from is None else lambda _: build_start(cfg).processors(learn),
        length_filter=LengthFilter(
            max_source_length=cfg.data.max_source_length,
            max_target_length=cfg.data.max_target_length,
            truncate_source=cfg.data.truncate_source,
        ),
        skip_bad=cfg.data.on_bad_example == "skip",
        budget=Budget(**cfg.batching),
        stream_options=StreamOptions(**cfg.stream),
        overfit=cfg.data.overfit,
        variety=Variety(
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
        source_size=processors.source_size,
        target_size=processors.target.vocabulary_size,
        shared_vocabulary=processors.shared,
    )
    if cfg.init_from is not None:
        build_start(cfg).give(model)
    return Seq2SeqModule(
        model=model,
        processors=processors,
        search=build_search(cfg),
        max_length=max_length,
        objective=make(cfg.objective),
        risk=build_risk(cfg),
        noise=build_noise(cfg),
        optimizer=make(cfg.optimizer),
        scheduler=make(cfg.scheduler),
        seed=cfg.seed,
    )


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


def build_trainer(cfg: DictConfig, text_metrics: TextMetrics) -> L.Trainer:
    """Lightning's trainer with callbacks, loggers and checkpoints that are never half-written."""
    logger.info("Monitor: %s (%s)", cfg.monitor.name, cfg.monitor.mode)
    loggers = [make(one) for one in (cfg.logger or {}).values()]
    trainer: L.Trainer = make(
        cfg.trainer,
        callbacks=[text_metrics, PlateauSteps(), *build_callbacks(cfg)],
        logger=loggers or False,
        plugins=[AtomicCheckpointIO(), cluster_environment()],
        default_root_dir=cfg.run.folder,
        enable_checkpointing=any(key in (cfg.callbacks or {}) for key in ("best", "last")),
        enable_progress_bar="progress" in (cfg.callbacks or {}),
        reload_dataloaders_every_n_epochs=1,  # an epoch has its own number of batches
    )
    return trainer


def plain(cfg: DictConfig) -> dict[str, Any]:
    """The config with every interpolation resolved, as plain Python data."""
    resolved = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    assert isinstance(resolved, dict)
    return {str(key): value for key, value in resolved.items()}


def _drop_other_metrics(cfg: DictConfig) -> None:
    """Leave out what a dataset sets of metrics that are not chosen, which have no ``_target_``."""
    for name in [name for name, metric in cfg.metric.items() if "_target_" not in metric]:
        if _on_command_line(f"metric.{name}"):
            raise InputError(
                f"metric.{name} is set, but this metric is not chosen; add it: "
                f"metric=[{','.join(str(chosen) for chosen in cfg.metric)}]."
            )
        with open_dict(cfg):
            del cfg.metric[name]


def _settle_monitor(cfg: DictConfig) -> None:
    """Hold ``monitor`` against what validation logs.

    A dataset names its usual score. Where other metrics are chosen, the first score of the first
    of them takes its place, unless ``monitor`` stands on the command line.
    """
    modes = validation_scores(cfg)
    if cfg.monitor.name in modes:
        return
    if _on_command_line("monitor"):
        raise InputError(
            f"`monitor.name` ({cfg.monitor.name}) must be one of what this run logs: "
            f"{', '.join(modes)}; choose one or add its metric."
        )
    first_metric, *_ = build_metrics(cfg)
    name, mode = next(iter(first_metric.modes().items()))
    cfg.monitor.name, cfg.monitor.mode = f"val/{name}", mode


def validation_scores(cfg: DictConfig) -> dict[str, str]:
    """What validation logs, and whether less (min) or more (max) of it is better."""
    modes: dict[str, str] = {
        "val/loss": "min",
        "val/perplexity": "min",
        "val/token_accuracy": "max",
    }
    if cfg.objective.ctc_weight:
        modes["val/ctc_loss"] = "min"
    for metric in build_metrics(cfg):
        modes |= {f"val/{name}": mode for name, mode in metric.modes().items()}
    return modes


def _on_command_line(key: str) -> bool:
    """Whether an override sets a key or something below it; without Hydra every key counts."""
    if not HydraConfig.initialized():
        return True
    names = (item.lstrip("+~").partition("=")[0] for item in HydraConfig.get().overrides.task)
    return any(name == key or name.startswith(f"{key}.") for name in names)


def model_spec(config: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a plain config from which a bundle rebuilds the model."""
    parts = {part: config[part] for part in MODEL_PARTS}
    return {**parts, "model": config["model"] | {"ctc_weight": config["objective"]["ctc_weight"]}}
