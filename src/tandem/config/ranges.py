"""Which values each key of a config may have: one table, read before anything is built."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from tandem.config.kinds import (
    FLAG,
    KEYS,
    NAME,
    NAMES,
    NO_LIMIT,
    NULL,
    PATH,
    TEXT,
    Range,
    every,
    in_home,
    matching,
    number,
    one_of,
    whole,
)
from tandem.core.errors import InputError

OUR_PACKAGES = ("tandem", "torch", "lightning")
MAX_SEED = 2**32 - 1
"""The largest seed that NumPy's global generator takes."""


PART = number(least=0, most=1)
PART_BELOW_ONE = number(least=0, below=1)
PART_ABOVE_ZERO = number(above=0, most=1)
POSITIVE = number(above=0)
NOT_NEGATIVE = number(least=0)
SEED = whole(0, MAX_SEED)
SHARE = number(above=0, below=1)
DIRECTION = one_of("min", "max") | NULL
ACCELERATOR = one_of("auto", "cpu", "gpu", "cuda", "mps")
ON_BAD_EXAMPLE = one_of("error", "skip")
IDS = every(whole(0))
COLUMN = whole(0) | NAME
WORDS = Range("a text that is not empty", lambda value: isinstance(value, str) and bool(value))
"""As it stands: a number among ids stays one."""
RUN = replace(
    PATH | every(PATH) | KEYS,
    rule="a text that names a run's folder, a list of them, or a section with keys of its own",
)
"""A folder or several where a model is read, and a section of a training."""
FOLDERS = Range(
    "a folder or null by part of the model",
    lambda value: isinstance(value, Mapping) and all(map((NAME | NULL).allows, value.values())),
)

PRECISIONS = (
    *("32-true", "16-mixed", "bf16-mixed", "16-true", "bf16-true", "64-true"),
    *("32", "16", "bf16", "64"),
)
NULLS = ("none", "null", "nil")
"""What other programs write for null, in small letters."""

RANGES = {
    # Keys, or patterns as a shell has them, where * stands for dots as well. A key goes before
    # patterns, and of patterns the first one counts.
    # Texts that name one of some things are held against them by what gets them.
    # Shared values
    "run.name": NAME,
    "run": RUN,
    "run.folder": PATH,
    "run.tags": NAMES,
    "resume": FLAG,
    "test": FLAG,
    "init_from": PATH | NULL | FOLDERS,
    "monitor": KEYS,
    "monitor.name": NAME,
    "monitor.mode": DIRECTION,
    "launch": KEYS,
    "launch.rdzv_endpoint": matching(r"\S+:\d+", "HOST:PORT") | NULL,
    "seed": SEED,
    "*.seed": SEED,
    "sampler_seed": SEED,
    "hidden_size": whole(1),
    "embedding_size": whole(1),
    "dropout": PART_BELOW_ONE,
    "max_length": whole(1) | NULL,
    "launch.max_restarts": whole(0),
    "launch.stalled_after": number(above=0) | NULL,
    # Arguments of the other commands
    "file": PATH,
    "folder": PATH | NULL,
    "folders": every(PATH),
    "input": PATH,
    "output": PATH,
    "source": PATH | NULL,
    "target": PATH,
    "data_dir": PATH | NULL,
    "split": NAME,
    "format": NAME,
    "average": TEXT | NAMES,
    "weights": one_of("float32", "int8"),
    "accelerator": ACCELERATOR,
    "trusted": NAMES,
    "trust_dataset": FLAG,
    "alignment": FLAG,
    "open": FLAG,
    "retry_failed": FLAG,
    "show_attention": FLAG,
    "tokens": FLAG,
    "watch": FLAG,
    "n_best": whole(1) | NULL,
    "max_source_length": whole(1),
    "max_tokens": whole(1),
    "workers": whole(1),
    "watch_interval": number(least=1),
    "host": NAME,
    "hosts": NAMES,
    "port": whole(0, 65535),
    "max_body": whole(1),
    "max_sources": whole(1),
    "max_width": whole(1),
    "max_requests": whole(1),
    "max_batch": whole(1),
    "window_ms": NOT_NEGATIVE,
    "timeout": POSITIVE,
    "trials": whole(1) | NULL,
    "retries": whole(0),
    "stalled_after": number(above=0) | NULL,
    "time_limit": number(above=0) | NULL,
    # Data
    "data": KEYS,
    "data.on_bad_example": ON_BAD_EXAMPLE,
    "data.streaming": FLAG,
    "data.strip": FLAG,
    "stream": KEYS,
    "batching": KEYS,
    "data.max_source_length": whole(1) | NULL,
    "data.max_target_length": whole(1) | NULL,
    "data.truncate_source": whole(1) | NULL,
    "data.overfit": whole(1) | NULL,
    "stream.buffer_size": whole(1),
    "stream.sample_size": whole(1),
    "batching.max_tokens": whole(1) | NULL,
    "batching.max_source_tokens": whole(1) | NULL,
    "batching.max_sentences": whole(1) | NULL,
    "adapter.rank": whole(1),
    "adapter.alpha": whole(1),
    "adapter.modules": NAMES,
    "adapter.frozen": NAMES,
    "curriculum.start": PART_ABOVE_ZERO,
    "curriculum.epochs": whole(1),
    "dataset.size": whole(1),
    "dataset.validation_size": whole(1),
    "dataset.test_size": whole(1),
    "dataset.held_out": POSITIVE,  # a share of docstrings, a number of glyphs
    "dataset.min_words": whole(1),
    "dataset.max_length": whole(1),
    "dataset.symbols": whole(1, 26),
    "dataset.sampling_rate": whole(1),
    "dataset.grammar": KEYS | NULL,
    "dataset.grammar.*": every(WORDS),
    "dataset.pronunciations": KEYS,
    "dataset.pronunciations.*": WORDS,
    "dataset.year": whole(1),
    "dataset.data_dir": PATH | NULL,
    "dataset.train": PATH,
    "dataset.validation": SHARE | PATH,
    "dataset.test": SHARE | PATH | NULL,
    "dataset.source": COLUMN,
    "dataset.target": COLUMN | NULL | every(COLUMN),
    "dataset.file": COLUMN,
    "dataset.begin": COLUMN | NULL,
    "dataset.duration": COLUMN | NULL,
    "dataset.table": PATH | NULL,
    "dataset.ending": TEXT,
    "dataset.split_column": COLUMN | NULL,
    "dataset.group": COLUMN | NULL,
    "dataset.captions": every(NAME),
    "dataset.delimiter": NAME | NULL,
    "dataset.quote": NAME | NULL,
    "dataset.header": FLAG | one_of("auto"),
    "dataset.rest": one_of("error", "join", "drop"),
    "dataset.comment": NAME | NULL,
    "dataset.strip": FLAG,
    "dataset.hub": NAME | NULL,
    "dataset.name": NAME | NULL,
    "dataset.references": COLUMN | NULL | every(COLUMN),
    "dataset.revision": NAME | NULL,
    "dataset.folder": PATH | NULL,
    "dataset.image": NAME,
    "dataset.language": NAME,
    "dataset.layout": NAME,
    "dataset.path": PATH,
    "dataset.split": NAME,
    "dataset.variant": NAME,
    "dataset.streaming": FLAG,
    "dataset.on_bad_example": ON_BAD_EXAMPLE,
    "*tokenizer.path": PATH,
    "*tokenizer.file": NAME | NULL,
    "*tokenizer.shared": FLAG,
    "*tokenizer.vocabulary_size": whole(1),
    "*tokenizer.byte_fallback": FLAG,
    "*tokenizer.min_frequency": whole(1),
    "*tokenizer.dropout": PART_BELOW_ONE,
    "*tokenizer.sampling_alpha": NOT_NEGATIVE | NULL,
    "features.sampling_rate": whole(1),
    "features.num_mels": whole(1),
    "features.window_ms": POSITIVE,
    "features.shift_ms": POSITIVE,
    "features.dynamic_range": POSITIVE,
    "features.stack": whole(1),
    "features.speeds": every(number(least=0.5, most=2)),
    "features.image_height": whole(1),
    "features.image_width": whole(1),
    "features.channels": whole(1, 3),
    "features.background": whole(0, 255),
    # Model
    "model": KEYS,
    "model.path": PATH | NULL,
    "model.output_bias": FLAG,
    "model.tie_embeddings": TEXT,
    "model.copying": FLAG,
    "model.compile": FLAG,
    "model.checkpointing": FLAG,
    "model.cache_encoder": FLAG,
    "decoder.attention": KEYS,
    "decoder.bridge": KEYS,
    "encoder.path": PATH | NULL,
    "decoder.path": PATH | NULL,
    "decoder.architecture": KEYS | NULL,
    "decoder.cross_attention": one_of("native", "new"),
    "decoder.prompt": every(WORDS) | NULL,
    "encoder.architecture": KEYS | NULL,
    "encoder.layer": whole(0) | one_of("mean") | NULL,
    "encoder.summary": one_of("mean", "first"),
    "frontend.subsampling": TEXT,
    "*attention.cumulative": FLAG,
    "*coder.activation": TEXT,
    "*coder.cell": TEXT,
    "*coder.norm": TEXT,
    "*.positions": TEXT,
    "*.scale_positions": FLAG,
    "*coder.bidirectional": FLAG,
    "*coder.reverse": FLAG,
    "*coder.input_feeding": FLAG,
    "frontend.media": TEXT,
    "frontend.image_height": whole(1),
    "frontend.image_width": whole(1),
    "frontend.channels": whole(1),
    "frontend.stage_sizes": every(whole(1)),
    "frontend.num_blocks": whole(1),
    "frontend.patch_size": whole(1),
    "frontend.shift": whole(0),
    "encoder.module": KEYS,
    "encoder.method": NAME | NULL,
    "encoder.mean": every(number(least=-1000, most=1000)),
    "encoder.std": every(POSITIVE),
    "encoder.image_height": whole(1),
    "encoder.image_width": whole(1),
    "encoder.channels": whole(1),
    "encoder.shift": whole(0),
    "encoder.hidden_size": whole(1) | NULL,
    "frontend.stack": whole(1),
    "frontend.time_masks": whole(0),
    "frontend.time_width": whole(0),
    "frontend.time_share": PART,
    "frontend.frequency_masks": whole(0),
    "frontend.frequency_width": whole(0),
    "*attention.size": whole(1),
    "*attention.half_width": whole(1),
    "*attention.num_filters": whole(1),
    "*.hidden_size": whole(1),
    "*.embedding_size": whole(1),
    "*.output_size": whole(1),
    "*.feed_forward_size": whole(1),
    "*.num_layers": whole(1),
    "*.num_heads": whole(1),
    "*.kernel_size": whole(1),
    "*coder.max_length": whole(1),
    "*.dropout": PART_BELOW_ONE,
    "*.input_dropout": PART_BELOW_ONE,
    "*.output_dropout": PART_BELOW_ONE,
    "*.attention_dropout": PART_BELOW_ONE,
    "*.activation_dropout": PART_BELOW_ONE,
    # Training
    "objective": KEYS,
    "risk.baseline": TEXT,
    "noise.scheduled_sampling.schedule": TEXT,
    "optimizer.fused": FLAG | NULL,
    "optimizer.nesterov": FLAG,
    "optimizer.groups": KEYS | NULL,
    "scheduler.monitor": NAME,
    "scheduler.mode": DIRECTION,
    "trainer.accelerator": ACCELERATOR,
    "trainer.strategy": NAME,
    "trainer.precision": one_of(*PRECISIONS),
    "trainer.max_time": matching(r"\d+:\d\d:\d\d:\d\d", "a time DD:HH:MM:SS") | NULL,
    "trainer.deterministic": FLAG | one_of("warn"),
    "trainer.enable_model_summary": FLAG,
    "trainer.use_distributed_sampler": Range("false", lambda value: value is False),
    "callbacks.*.folder": PATH,
    "callbacks.*.monitor": NAME,
    "callbacks.*.mode": DIRECTION,
    "callbacks.average.choose": TEXT,
    "callbacks.matmul_precision.precision": TEXT,
    "logger.*.folder": PATH,
    "logger.mlflow.artifacts": PATH | NULL,
    "logger.mlflow.experiment": NAME,
    "logger.mlflow.name": NAME,
    "logger.mlflow.tracking_uri": PATH,
    "logger.wandb.entity": NAME | NULL,
    "logger.wandb.group": NAME | NULL,
    "logger.wandb.mode": TEXT,
    "logger.wandb.name": NAME,
    "logger.wandb.project": NAME,
    "logger.wandb.tags": NAMES,
    "objective.smoothing": PART_BELOW_ONE,
    "objective.ctc_weight": PART,
    "objective.coverage_weight": NOT_NEGATIVE,
    "objective.r_drop_weight": NOT_NEGATIVE,
    "objective.teacher": PATH | NULL,
    "objective.teacher_weight": PART_ABOVE_ZERO,
    "objective.teacher_temperature": POSITIVE,
    "risk.num_samples": whole(1),
    "risk.weight": PART,  # 0 gets a remedy from the risk itself
    "noise.*.probability": PART_BELOW_ONE,
    "noise.word_dropout.source": PART_BELOW_ONE,
    "noise.word_dropout.target": PART_BELOW_ONE,
    "noise.scheduled_sampling.start": whole(0),
    "noise.scheduled_sampling.steps": whole(1),
    "optimizer.lr": NOT_NEGATIVE,
    "optimizer.betas": every(PART_BELOW_ONE, length=2),
    "optimizer.eps": NOT_NEGATIVE,
    "optimizer.momentum": NOT_NEGATIVE,
    "optimizer.weight_decay": NOT_NEGATIVE,
    "scheduler.warmup_steps": whole(0),
    "scheduler.total_steps": whole(1) | NO_LIMIT,  # -1 gets a remedy from cosine itself
    "scheduler.factor": number(above=0, below=1),
    "scheduler.patience": whole(0),
    "trainer.num_nodes": whole(1),
    "trainer.max_epochs": whole(1) | NO_LIMIT | NULL,
    "trainer.max_steps": whole(1) | NO_LIMIT,
    "trainer.val_check_interval": whole(1) | PART_ABOVE_ZERO | NULL,
    "trainer.check_val_every_n_epoch": whole(1) | NULL,
    "trainer.limit_train_batches": whole(1) | PART_ABOVE_ZERO | NULL,
    "trainer.limit_val_batches": whole(0) | PART | NULL,
    "trainer.limit_test_batches": whole(0) | PART | NULL,
    "trainer.gradient_clip_val": NOT_NEGATIVE | NULL,
    "trainer.accumulate_grad_batches": whole(1),
    "trainer.log_every_n_steps": whole(0),
    "trainer.num_sanity_val_steps": whole(0) | NO_LIMIT,
    "callbacks.samples.count": whole(0),
    "callbacks.attention_maps.count": whole(0),
    "callbacks.attention_maps.every_n_minutes": NOT_NEGATIVE | NULL,
    "callbacks.average.count": whole(2),
    "callbacks.early_stopping.patience": whole(1),
    "callbacks.early_stopping.patience_steps": whole(0),
    "callbacks.early_stopping.min_delta": NOT_NEGATIVE,
    "callbacks.ema.decay": PART_BELOW_ONE,
    "callbacks.ema.start": whole(0),
    "callbacks.last.every_n_train_steps": whole(0),
    "callbacks.last.keep_previous": FLAG,
    "callbacks.progress.updates_per_second": whole(1),
    "callbacks.progress.seconds_between_lines": NOT_NEGATIVE,
    # Search and metrics
    "search.length_penalty": TEXT,
    "search.stop": TEXT,
    "search.required": every(WORDS | IDS),
    "rule.banned.sequences": every(WORDS | IDS),
    "rule.forced_prefix.prefix": WORDS | IDS,
    "*.case_sensitive": FLAG,
    "*.lowercase": FLAG,
    "*.normalized": FLAG,
    "*.stemmer": FLAG,
    "*.normalization": TEXT,
    "*.smooth_method": TEXT,
    "*.tokenize": TEXT,
    "rescoring": KEYS,
    "rescoring.path": PATH | NULL,
    "rescoring.weight": number(least=0, most=1000),
    "rescoring.length_penalty": one_of("average", "none"),
    "search.width": whole(1),
    "search.groups": whole(1),
    "search.diversity": number(least=0, most=1000),
    "search.alpha": number(least=-10, most=10),
    "search.num_samples": whole(1),
    "search.temperature": number(least=0, most=100),  # 0 gets a remedy from sampling itself
    "search.top_k": whole(0),
    "search.top_p": PART_ABOVE_ZERO,
    "search.min_p": PART,
    "scorer.ctc.weight": PART,  # 0 gets a remedy from the scorer itself
    "scorer.language_model.path": PATH,
    "scorer.language_model.weight": number(least=0, most=10),
    "scorer.language_model.internal_weight": number(least=0, most=10),
    "scorer.coverage.penalty": number(least=0, most=100),
    "rule.min_length.least": whole(1),
    "rule.no_repeat_ngram.size": whole(1),
    "*.char_order": whole(1),
    "*.word_order": whole(0),
    "*.beta": whole(1),
}
PATTERNS = [key for key in RANGES if "*" in key]


def check_ranges(config: Mapping[str, Any]) -> None:
    """Refuse a value that its key may not have.

    Left alone are keys that no pattern fits, everything under a ``_target_`` of a user's own
    package, and interpolations that are not resolved.

    :param config: plain data of any command.
    :raises InputError: which names the first such key, its rule and its value.
    """
    for key, value, is_own in _leaves(config, ""):
        allowed = None if is_own else find_range(key)
        if allowed is not None and not allowed.allows(value) and not _is_open(value):
            written = json.dumps(value, default=str, ensure_ascii=False)
            remedy = ""
            if allowed is KEYS:
                remedy = f"; set one of them, {key}.KEY=VALUE"
            elif isinstance(value, str) and value.lower() in NULLS and allowed.allows(None):
                remedy = f"; write {key}=null"
            raise InputError(f"`{key}` must be {allowed.rule}, but is {written}{remedy}.")


def meant_values(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys whose values are to be converted, each with the value that is meant."""
    for key, value, is_own in _leaves(config, ""):
        allowed = None if is_own else find_range(key)
        if allowed is not None and not _is_open(value):
            meant = allowed.meant(value)
            if repr(meant) != repr(value):  # as 2 and 2.0 are equal
                yield key, meant
    yield from expanded_paths(config)


def expanded_paths(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys whose paths begin with ``~``, each with the path that is meant.

    Of a user's own parts, and of keys that the table does not have, any text that begins with
    ``~/`` is taken for a path.
    """
    for key, value, is_own in _leaves(config, ""):
        allowed = find_range(key)
        is_path = allowed is not None and allowed.is_path
        if is_own or is_path or allowed is None:
            meant = _with_home(value, is_path=is_path)
            if meant != value:
                yield key, meant


def _with_home(value: Any, *, is_path: bool) -> Any:
    """Plain data in which texts that are paths, or that begin as one, have the user's folder."""
    if isinstance(value, Mapping):
        return {name: _with_home(one, is_path=is_path) for name, one in value.items()}
    if isinstance(value, list):
        return [_with_home(one, is_path=is_path) for one in value]
    is_text = isinstance(value, str)
    return in_home(value) if is_text and (is_path or value.startswith("~/")) else value


def _is_open(value: Any) -> bool:
    """Whether a value is missing, or an interpolation that is not resolved."""
    return value == "???" or "${" in str(value)


def find_range(key: str) -> Range | None:
    """The range of a key, if the table has one."""
    pattern = find_pattern(key)
    return None if pattern is None else RANGES[pattern]


@cache
def find_pattern(key: str) -> str | None:
    """The key itself, or the first pattern that fits it, if the table has one."""
    if key in RANGES:
        return key
    return next((pattern for pattern in PATTERNS if fnmatchcase(key, pattern)), None)


def _leaves(
    node: Mapping[str, Any], path: str, *, is_own: bool = False
) -> Iterator[tuple[str, Any, bool]]:
    """All values with their keys from the root, and whether they are of a user's own part."""
    package = str(node.get("_target_", "tandem")).partition(".")[0]
    is_own = is_own or package not in OUR_PACKAGES
    for name, value in node.items():
        key = f"{path}{name}"
        allowed = find_range(key)
        if isinstance(value, Mapping) and (allowed is None or allowed.allows(value)):
            yield from _leaves(value, f"{key}.", is_own=is_own)
        else:
            yield key, value, is_own
