"""A run's parts, each made once: what the checks have built is what training uses."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import lightning as L
import torch
from omegaconf import DictConfig

from tandem.callbacks import AtomicCheckpointIO, PlateauSteps, Thaw, WholeWeights
from tandem.config.build import (
    build_adapter,
    build_callbacks,
    build_data,
    build_decoding,
    build_loggers,
    build_model,
    build_noise,
    build_objective,
    build_optimizer,
    build_processors,
    build_risk,
    build_warm_start,
    check_loggers,
    model_spec,
)
from tandem.config.instantiate import make, plain
from tandem.config.pretrained import pretrained_weights
from tandem.core.directions import Direction
from tandem.data.module import DataModule
from tandem.data.preprocessing import LearnProcessors, Processors
from tandem.inference.decoding import Decoding
from tandem.metrics import Metric
from tandem.models import Seq2Seq
from tandem.training.activation_checkpointing import checkpoint_activations
from tandem.training.adapters import LoRA
from tandem.training.compiling import compile_model
from tandem.training.distributed import cluster_environment
from tandem.training.encoder_cache import cache_encoder
from tandem.training.module import Seq2SeqModule
from tandem.training.noise import Noise
from tandem.training.objective import Objective
from tandem.training.optimizer_groups import GroupedOptimizer
from tandem.training.pretrained import PretrainedWeights
from tandem.training.self_critical import SelfCritical
from tandem.training.sharding import ShardedStrategy
from tandem.training.strategies import make_strategy
from tandem.training.warm_start import WarmStart

logger = logging.getLogger(__name__)


@dataclass
class Plan:
    """What a checked config describes; nothing of the data is read yet."""

    cfg: DictConfig
    data: DataModule
    decoding: Decoding
    metrics: list[Metric]
    objective: Objective
    risk: SelfCritical | None
    noise: list[Noise]
    optimizer: GroupedOptimizer
    scheduler: Any
    callbacks: list[L.Callback]
    pretrained: PretrainedWeights | None
    """What parts of others begin with, before the warm start."""
    adapter: LoRA | None
    warm_start: WarmStart | None
    model: Seq2Seq | None = field(default=None)
    """The network, once the sizes of the vocabularies are known."""
    references: dict[str, Any] = field(default_factory=dict)
    """What the target tokenizer can write of each split, once the data is read, for the record."""
    empty: dict[str, float] = field(default_factory=dict)
    """What empty outputs score on validation, by the names that scores are logged under."""

    def assemble(self, processors: Processors) -> Seq2Seq:
        """The network with the weights that training begins with; made once."""
        if self.model is None:
            torch.manual_seed(self.cfg.seed)
            self.model = self._random_model(processors)
            if self.pretrained is not None:
                self.pretrained.fill(self.model, processors)
            if self.warm_start is not None:
                self.warm_start.fill(self.model, processors, self._spec())
            self.freeze(self.model)
        return self.model

    def freeze(self, model: Seq2Seq) -> None:
        """Give a filled network its adapters, and freeze what is not trained."""
        if self.adapter is not None:
            self.adapter.inject(model)
        self.optimizer.freeze(model)
        if self.adapter is not None:
            self.adapter.check(model)

    def cache_encoder(self, processors: Processors, device: torch.device) -> None:
        """Let batches hold the outputs of the frozen encoder, if the config wants it."""
        if not self.cfg.model.cache_encoder:
            return
        config = plain(self.cfg)
        cache_encoder(
            self.assemble(processors),
            self.data,
            structure=json.dumps([config["frontend"], config["encoder"]]),
            device=device,
            leave_out=() if self.cfg.test else ("test",),
        )

    def check_warm_start(self, warm_start: WarmStart, learn: LearnProcessors) -> None:
        """Refuse weights that do not fit, before any data is read."""
        if not learn.learns:
            self.assemble(learn(lambda column: ()))
            return
        with torch.device("meta"):  # only its shapes are needed
            model = self._random_model(learn(lambda column: [""]))
        warm_start.check(model, self._spec())

    def _random_model(self, processors: Processors) -> Seq2Seq:
        return build_model(
            self.cfg,
            source_size=processors.source.size,
            target_size=processors.target.vocabulary_size,
            shared_vocabulary=processors.shared,
        )

    def _spec(self) -> dict[str, Any]:
        """The factories of the network's parts, as its bundle will have them."""
        return model_spec(plain(self.cfg))

    def module(self, processors: Processors, max_length: int) -> Seq2SeqModule:
        """Model, loss, optimizer and decoding in one Lightning module."""
        model = self.assemble(processors)
        self.objective.check(processors)
        if self.warm_start is not None:
            self.warm_start.log(model, processors, self._spec())
        if self.cfg.model.compile:
            compile_model(model)
            self.objective.compile()
        if self.cfg.model.checkpointing:
            checkpoint_activations(model)
        return Seq2SeqModule(
            model=model,
            processors=processors,
            decoding=self.decoding.bind(processors.target),
            max_length=max_length,
            objective=self.objective,
            risk=self.risk,
            noise=self.noise,
            optimizer=self.optimizer,
            scheduler=self.scheduler,
            seed=self.cfg.seed,
        )

    def monitor(self, name: str, mode: Direction) -> None:
        """Let another score decide, and make again what looks at it."""
        if (self.cfg.monitor.name, self.cfg.monitor.mode) == (name, mode):
            return
        self.cfg.monitor.name, self.cfg.monitor.mode = name, mode
        self.scheduler = make(self.cfg.scheduler)
        self.callbacks = build_callbacks(self.cfg)

    def trainer(self, callbacks: Sequence[L.Callback]) -> L.Trainer:
        """Lightning's trainer with loggers and checkpoints that are never half-written.

        :param callbacks: stand before those of the config.
        """
        cfg = self.cfg
        logger.info("Monitor: %s (%s)", cfg.monitor.name, cfg.monitor.mode)
        strategy = make_strategy(cfg.trainer.strategy)
        last = [WholeWeights()] if isinstance(strategy, ShardedStrategy) else []
        thaws = [Thaw(self.optimizer)] if self.optimizer.thaws else []
        trainer: L.Trainer = make(
            cfg.trainer,
            strategy=strategy,
            callbacks=[*callbacks, PlateauSteps(), *thaws, *self.callbacks, *last],
            logger=build_loggers(cfg) or False,
            plugins=[AtomicCheckpointIO(), cluster_environment()],
            default_root_dir=cfg.run.folder,
            enable_checkpointing=any(key in (cfg.callbacks or {}) for key in ("best", "last")),
            enable_progress_bar="progress" in (cfg.callbacks or {}),
            reload_dataloaders_every_n_epochs=1,  # an epoch has its own number of batches
        )
        return trainer


def build_plan(cfg: DictConfig, metrics: list[Metric]) -> Plan:
    """Make all parts of a run.

    :param cfg: a ``train`` config whose values are all there and settled.
    :param metrics: those that it chooses.
    """
    check_loggers(cfg)
    parts: dict[str, Any] = {
        "objective": build_objective(cfg),
        "decoding": build_decoding(cfg),
        "metrics": metrics,
        "risk": build_risk(cfg),
        "noise": build_noise(cfg),
        "adapter": build_adapter(cfg),
        "optimizer": build_optimizer(cfg),
        "scheduler": make(cfg.scheduler),
        "callbacks": build_callbacks(cfg),
        "pretrained": pretrained_weights(cfg),
    }
    learn = build_processors(cfg)
    warm_start = build_warm_start(cfg, shared=learn.shared)  # the last one, as it reads files
    if warm_start is not None:
        learn = warm_start.with_vocabularies(learn)
    plan = Plan(cfg=cfg, data=build_data(cfg, learn), warm_start=warm_start, **parts)
    if warm_start is not None:
        plan.check_warm_start(warm_start, learn)
    if not learn.learns:
        plan.objective.check(learn(lambda column: ()))
    return plan
