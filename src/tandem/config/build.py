"""From a composed config to objects: the only place that instantiates what a config names."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig

from tandem.callbacks import guard_onlooker
from tandem.config.instantiate import make, make_each, plain
from tandem.core.errors import InputError
from tandem.core.extras import check_extra
from tandem.core.onlookers import guard, public_methods
from tandem.data.augmentation import Augmentation
from tandem.data.batching import Budget
from tandem.data.features import Features
from tandem.data.module import DataModule, LengthFilter
from tandem.data.preprocessing import LearnProcessors
from tandem.data.readers import FileReader, SourceReader
from tandem.data.run_data import TOKENIZERS
from tandem.data.stream import StreamOptions
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.inference.asked_models import with_asked_models
from tandem.inference.decoding import Decoding
from tandem.loggers import PACKAGES, CSVLogger
from tandem.metrics import Metric
from tandem.models import Seq2Seq, assemble
from tandem.training.adapters import LoRA
from tandem.training.distillation import read_teacher
from tandem.training.noise import Noise
from tandem.training.objective import Objective
from tandem.training.optimizer_groups import GroupedOptimizer, parameter_groups
from tandem.training.self_critical import SelfCritical
from tandem.training.warm_start import WarmStart, read_warm_start

logger = logging.getLogger(__name__)

MODEL_PARTS = ("frontend", "encoder", "decoder")
WAYS_TO_COMPUTE = ("compile", "checkpointing", "cache_encoder", "path")
"""Keys under ``model`` that say how training begins and computes it, not what the network is."""


def build_model(
    cfg: DictConfig, *, source_size: int, target_size: int, shared_vocabulary: bool
) -> Seq2Seq:
    """The network, with the sizes that the data decides."""
    return assemble(
        **{part: make(cfg[part]) for part in MODEL_PARTS},
        **without_ways_to_compute(plain(cfg.model)),
        ctc_weight=cfg.objective.ctc_weight,
        source_size=source_size,
        target_size=target_size,
        shared_vocabulary=shared_vocabulary,
    )


def build_objective(cfg: DictConfig) -> Objective:
    """What training makes small, with the teacher if there is one."""
    spec = plain(cfg.objective)
    folder = spec.pop("teacher")
    teacher = None if folder is None else read_teacher(folder, trusted=_own_modules(cfg))
    objective: Objective = make(spec, teacher=teacher)
    return objective


def _own_modules(cfg: DictConfig) -> set[str]:
    """The modules of what this run's model is made of, which other models may be made of, too."""
    targets = [cfg[part].get("_target_") for part in (*MODEL_PARTS, "features") if cfg[part]]
    return {str(target).rpartition(".")[0] for target in targets}


def build_decoding(cfg: DictConfig) -> Decoding:
    """How evaluation finds outputs; its texts wait for a vocabulary."""
    decoding = Decoding(make(cfg.search), make_each(cfg.scorer), make_each(cfg.rule))
    return with_asked_models(decoding)


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


def build_reader(cfg: DictConfig) -> Callable[[Tokenizer], SourceReader] | None:
    """Makes of the target's tokenizer what reads sources; None: a tokenizer of their own."""
    features = build_features(cfg)
    if features is None:
        return make(cfg.reader) if cfg.reader else None
    if cfg.reader:
        raise InputError(
            "`reader` and `features` both say how sources are read, but one of them does; set "
            "features=null or reader=null."
        )
    return lambda _: FileReader(features, spec=plain(cfg.features))


def build_processors(cfg: DictConfig) -> LearnProcessors:
    """What learns what reads the source and writes the target."""
    return LearnProcessors(
        reader=build_reader(cfg),
        source_recipe=make(cfg.source_tokenizer or cfg.tokenizer),
        target_recipe=make(cfg.tokenizer),
        truncate_source=cfg.data.truncate_source,
        tokenizer_folder=Path(cfg.run.folder) / TOKENIZERS if goes_on(cfg) else None,
    )


def build_data(cfg: DictConfig, learn: LearnProcessors | None = None) -> DataModule:
    """The data module; nothing is read yet.

    :param learn: what the config describes, if it is made already, perhaps with vocabularies of
        other runs.
    """
    learn = learn or build_processors(cfg)
    return DataModule(
        load=make(cfg.dataset, _partial_=True),
        learn=learn,
        length_filter=LengthFilter(
            max_source_length=cfg.data.max_source_length,
            max_target_length=cfg.data.max_target_length,
        ),
        skip_bad=cfg.data.on_bad_example == "skip",
        budget=Budget(**cfg.batching),
        stream_options=StreamOptions(**cfg.stream),
        overfit=cfg.data.overfit,
        augmentation=Augmentation(
            source_cutter=learn.source_recipe.cutter,
            target_cutter=learn.target_recipe.cutter,
            curriculum=make(cfg.curriculum) if cfg.curriculum else None,
            seed=cfg.seed,
        ),
        seed=cfg.seed,
    )


def goes_on(cfg: DictConfig) -> bool:
    """Whether a run is resumed that has trained already, and so with the data it began with."""
    return bool(cfg.resume) and any(Path(cfg.run.folder).glob("checkpoints/*.ckpt"))


def build_optimizer(cfg: DictConfig) -> GroupedOptimizer:
    """What makes an optimizer of a model's parameters."""
    spec = plain(cfg.optimizer)
    groups = parameter_groups(spec.pop("groups"))
    return GroupedOptimizer(make(spec), groups)


def build_adapter(cfg: DictConfig) -> LoRA | None:
    """What is trained in place of whole parts."""
    adapter: LoRA | None = make(cfg.adapter) if cfg.adapter else None
    return adapter


def build_warm_start(cfg: DictConfig, *, shared: bool) -> WarmStart | None:
    """What training begins with, if it is other runs.

    :param shared: whether this run has one vocabulary for both sides.
    """
    if cfg.init_from is None:
        return None
    value = cfg.init_from if isinstance(cfg.init_from, str) else plain(cfg.init_from)
    return read_warm_start(value, trusted=_own_modules(cfg), shared=shared)


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
    """What watches the run; of it onlookers cannot end the run."""
    return [guard_onlooker(make(callback)) for callback in (cfg.callbacks or {}).values()]


def build_loggers(cfg: DictConfig) -> list[Logger]:
    """Where values go; a logger that fails while the run goes on is left out.

    Beside any other logger there is ``metrics.csv``, from which reports and sweeps read curves.
    """
    loggers: list[Logger] = [make(one) for one in (cfg.logger or {}).values()]
    if loggers and not any(isinstance(one, CSVLogger) for one in loggers):
        loggers.append(CSVLogger(folder=cfg.run.folder))
    for one in loggers:  # what has failed is closed all the same, by `finish`
        guard(one, [name for name in public_methods(one) if name != "finish"])
    return loggers


def check_loggers(cfg: DictConfig) -> None:
    """Refuse a logger whose package is missing."""
    for name, package in PACKAGES.items():
        if name in (cfg.logger or {}):
            check_extra(name, package, used_by=f"logger={name}", otherwise="choose another logger")


def model_spec(config: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a plain config from which a bundle rebuilds the model.

    Where weights once came from is no part of it, as the bundle has its own.
    """
    parts = {
        part: {key: value for key, value in config[part].items() if key != "path"}
        for part in MODEL_PARTS
    }
    network = without_ways_to_compute(config["model"])
    return {**parts, "model": network | {"ctc_weight": config["objective"]["ctc_weight"]}}


def without_ways_to_compute(model: Mapping[str, Any]) -> dict[str, Any]:
    """What of the options under ``model`` makes the network what it is."""
    return {key: value for key, value in model.items() if key not in WAYS_TO_COMPUTE}
