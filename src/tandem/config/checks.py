"""What can be told of a composed config before data loads: each mistake in one sentence."""

import inspect
import json
import logging
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf, open_dict

from tandem.config.build import build_features, build_metrics, build_model
from tandem.config.folders import config_folder
from tandem.config.instantiate import check_values, make, plain
from tandem.config.length import settle_length
from tandem.config.overrides import on_command_line
from tandem.config.plan import Plan, build_plan
from tandem.config.pretrained import settle_pretrained
from tandem.config.processes import settle_processes
from tandem.core.directions import LOSS_DIRECTIONS, Direction
from tandem.core.errors import InputError, nearest, reason_of
from tandem.data.features import Features
from tandem.inference.reading import LONGEST_OUTPUT, MOST_HYPOTHESES
from tandem.metrics.base import Metric, directions_of
from tandem.models import Seq2Seq
from tandem.training.encoder_cache import check_cacheable
from tandem.training.objective import Objective
from tandem.training.strategies import check_strategy, make_strategy

SEVERAL = ("metric", "scorer", "rule", "noise", "callbacks", "logger")
"""Groups of which several options may be chosen."""
TRIAL_SIZE = 8
SMALLEST_HALF = 2.0**-24
"""Of the positive numbers in 16 bits."""


def check(cfg: DictConfig) -> Plan:
    """Make everything that needs no data, so that what cannot work fails before data loads.

    In ``cfg``, what pretrained parts say of themselves is written down, options for parts that are
    not chosen, such as metrics and callbacks, are dropped, a dataset's ``monitor`` is replaced if
    no chosen metric computes it, ``scorer`` becomes CTC if the model is trained with it and no
    other is chosen, and ``trainer.devices`` becomes a number.

    :return: what was made, for the run to use.
    :raises InputError: in one sentence that names the keys.
    """
    check_values(cfg)
    settle_pretrained(cfg)
    for group in SEVERAL:
        _drop_unchosen(cfg, group)
    config = plain(cfg)
    del config["optimizer"]["groups"]  # which are ours, not the optimizer's
    check_targets(config)
    settle_processes(cfg.trainer)
    _check_streaming(cfg)
    metrics = build_metrics(cfg)
    _settle_monitor(cfg, metrics)
    _check_monitors(cfg, validation_scores(cfg, metrics))
    _settle_scorer(cfg)
    features = build_features(cfg)
    plan = build_plan(cfg, metrics)
    model = plan.model or build_model(
        cfg,
        source_size=features.width if features else TRIAL_SIZE,
        target_size=TRIAL_SIZE,
        shared_vocabulary=features is None and bool(OmegaConf.select(cfg, "tokenizer.shared")),
    )
    if plan.pretrained is not None and plan.model is None:
        plan.pretrained.check(model)
    _check_media(features, model)
    _check_objective(plan.objective, model)
    _check_optimizer(plan, model)
    if cfg.model.cache_encoder:
        trained = plan.optimizer.trained(model)
        check_cacheable(model, trained=trained, noise=plan.noise, streams=cfg.data.streaming)
    plan.decoding.check(model)
    _check_bundle_limits(cfg, plan)
    for noise in plan.noise:
        noise.check(model)
    check_strategy(
        cfg.trainer.strategy,
        noise=plan.noise,
        risk=plan.risk,
        optimizer=plan.optimizer,
        compiles=cfg.model.compile,
    )
    _check_trainer(plain(cfg)["trainer"])
    return plan


def _check_bundle_limits(cfg: DictConfig, plan: Plan) -> None:
    """Refuse what the run's own bundle would be refused for."""
    for key, value, most in (
        ("max_length", cfg.max_length or 0, LONGEST_OUTPUT),
        ("search", plan.decoding.width, MOST_HYPOTHESES),
    ):
        if value > most:
            what = "symbols of an output" if key == "max_length" else "outputs of each source"
            raise InputError(
                f"`{key}` allows {value:,} {what}, but a bundle may ask for at most {most:,}; "
                "lower it."
            )


def _check_monitors(cfg: DictConfig, scores: dict[str, Direction]) -> None:
    """Hold what callbacks and schedulers look at against what validation logs."""
    watching = {f"callbacks.{name}": part for name, part in (cfg.callbacks or {}).items()}
    for key, part in {**watching, "scheduler": cfg.scheduler}.items():
        name = part.get("monitor")
        if name is None or name in scores or not str(part._target_).startswith("tandem."):
            continue
        raise InputError(
            f"`{key}.monitor` ({name}) must be one of what this run logs{nearest(name, scores)}: "
            f"{', '.join(scores)}; choose one, or leave it out to look at monitor.name."
        )


def _check_trainer(options: dict[str, Any]) -> None:
    """Refuse what Lightning's trainer does not take."""
    trainer = OmegaConf.create(options)
    settle_length(trainer, None)  # as it will be once the data is read
    failure = _try_trainer(json.dumps(plain(trainer), default=str))
    if failure is not None:
        raise InputError(f"The options under `trainer` cannot work here ({failure}); correct them.")


@cache
def _try_trainer(options: str) -> str | None:
    """Why Lightning's trainer cannot be made with these options, written as JSON."""
    log = logging.getLogger("lightning.pytorch")
    level = log.level
    log.setLevel(logging.ERROR)  # the trainer that is used says all of it again
    try:
        with warnings.catch_warnings(action="ignore"):
            values = json.loads(options)
            values["strategy"] = make_strategy(values["strategy"])
            make(values, logger=False, enable_checkpointing=False, plugins=[])
    except InstantiationException as error:
        return reason_of(error.__cause__ or error)
    finally:
        log.setLevel(level)
    return None


def _check_streaming(cfg: DictConfig) -> None:
    """Refuse what cannot be told before a stream has been read."""
    if not cfg.data.streaming:
        return
    if "streaming" not in cfg.dataset:
        raise InputError(
            f"data.streaming=true needs a dataset that can be read as a stream, but "
            f"{cfg.dataset._target_} cannot; set data.streaming=false, or put the pairs into files "
            "for dataset=parallel, json, csv, tsv or hub."
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


def _check_objective(objective: Objective, model: Seq2Seq) -> None:
    """Refuse an objective that asks for what the model does not have."""
    if objective.coverage_weight and not model.has_weights:
        raise InputError(
            f"objective.coverage_weight={objective.coverage_weight} needs attention weights, but "
            "this attention has none; choose another one, such as attention=additive, or set "
            "objective.coverage_weight=0."
        )


def _check_optimizer(plan: Plan, model: Seq2Seq) -> None:
    """Try out what would fail only after the data is loaded."""
    eps = plan.cfg.optimizer.get("eps")
    if plan.cfg.trainer.precision == "16-true" and eps is not None and eps < SMALLEST_HALF:
        raise InputError(
            f"trainer.precision=16-true rounds optimizer.eps={eps} to 0, which makes weights "
            "infinite; set optimizer.eps=1e-4, or choose trainer.precision=16-mixed."
        )
    try:
        if plan.model is None:
            plan.freeze(model)
        optimizer = plan.optimizer(model)
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The options under `optimizer` do not fit {plan.cfg.optimizer._target_} "
            f"({reason_of(error)}); correct them."
        ) from error
    plan.scheduler(optimizer)


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


def _drop_unchosen(cfg: DictConfig, group: str) -> None:
    """Leave out what a dataset or an experiment sets of parts that are not chosen.

    They have no ``_target_``. A part that is set to null is left out, too.
    """
    parts = cfg[group] or {}
    for name in [name for name, part in parts.items() if "_target_" not in (part or {})]:
        if parts[name] is not None and on_command_line(f"{group}.{name}"):
            raise InputError(
                f"{group}.{name} is set, but this {group} is not chosen; add it: "
                f"{group}=[{','.join(str(chosen) for chosen in parts)}]."
            )
        with open_dict(cfg):
            del parts[name]


def _settle_scorer(cfg: DictConfig) -> None:
    """Let CTC decide with the decoder as much as in training, unless scorers are chosen."""
    if cfg.scorer is None and cfg.objective.ctc_weight > 0:
        scorer = OmegaConf.load(config_folder() / "scorer" / "ctc.yaml")
        scorer.ctc.weight = cfg.objective.ctc_weight
        with open_dict(cfg):
            cfg.scorer = scorer


def _settle_monitor(cfg: DictConfig, metrics: Sequence[Metric]) -> None:
    """Hold ``monitor`` against what validation logs.

    A dataset names its usual score. Where other metrics are chosen, the first score of the first
    of them takes its place (of none the loss), unless ``monitor.name`` stands on the command line.
    Whether less or more is better follows from the score.
    """
    scores = validation_scores(cfg, metrics)
    monitor = cfg.monitor
    if monitor.name not in scores:
        if on_command_line("monitor.name", "monitor"):
            raise InputError(
                f"`monitor.name` ({monitor.name}) must be one of what this run logs: "
                f"{', '.join(scores)}; choose one or add its metric."
            )
        names = [name for metric in metrics for name in directions_of(metric)]
        monitor.name = f"val/{[*names, 'loss'][0]}"
    direction = scores[monitor.name]
    if monitor.mode not in (None, direction):
        better = "lower" if direction == "min" else "higher"
        raise InputError(
            f"`monitor.mode` ({monitor.mode}) selects the worst {monitor.name}, where "
            f"{better} is better; leave it out."
        )
    monitor.mode = direction


def validation_scores(cfg: DictConfig, metrics: Sequence[Metric]) -> dict[str, Direction]:
    """What validation logs, and whether less (min) or more (max) of it is better."""
    scores = dict(LOSS_DIRECTIONS)
    if not cfg.objective.ctc_weight:
        del scores["ctc_loss"]
    for metric in metrics:
        scores |= directions_of(metric)
    return {f"val/{name}": direction for name, direction in scores.items()}
