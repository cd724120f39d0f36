"""What a config leaves open because it follows from the data, known once the data is read."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from tandem.config.checks import on_command_line
from tandem.config.instantiate import plain
from tandem.config.plan import Plan
from tandem.config.run_folder import read_run_config
from tandem.core.directions import Direction
from tandem.core.errors import InputError
from tandem.core.quality import LOSS
from tandem.data.batching import Budget
from tandem.data.module import DataModule
from tandem.metrics import Metric
from tandem.training.length import LEAST_EPOCHS, epochs_between_validations, epochs_of_training

logger = logging.getLogger(__name__)

KEPT_KEYS = (
    "batching.max_tokens",
    "batching.max_source_tokens",
    "trainer.check_val_every_n_epoch",
)
"""Open keys that keep the values with which a run began when it goes on."""
LIMITS = {
    "limit_train_batches": "train",
    "limit_val_batches": "validation",
    "limit_test_batches": "test",
}
"""Keys of the trainer that take a part of a split."""
ROWS_FOR_ROOM = 1000


def settle(plan: Plan) -> None:
    """Give what the config leaves open the values that the prepared data decides, and say them.

    :raises InputError: if the user's own choice of ``monitor.name`` cannot tell outputs apart.
    """
    cfg, budget = plan.cfg, plan.data.budget
    before = plain(cfg)
    cfg.batching.max_tokens = budget.max_tokens
    cfg.batching.max_source_tokens = budget.max_source_tokens
    check_limits(cfg.trainer, plan.data)
    settle_length(cfg.trainer, plan.data.batches_an_epoch())
    if plain(cfg) != before:
        _say_length(cfg, plan.data)
    _settle_monitor(plan)


def continue_settled(plan: Plan, folder: Path) -> None:
    """Take over what was settled when a run began that goes on, if there is one in the folder."""
    path = folder / "config.yaml"
    if not path.exists():
        return
    cfg, old = plan.cfg, read_run_config(path)
    # All at once, as one of them may be an interpolation of another.
    for key in [key for key in KEPT_KEYS if OmegaConf.select(cfg, key) is None]:
        group, name = key.split(".")
        OmegaConf.update(cfg, key, old.get(group, {}).get(name))
    plan.data.budget = Budget(**cfg.batching)
    if not on_command_line("monitor.name", "monitor"):
        plan.monitor(**old["monitor"])


def check_limits(trainer: DictConfig, data: DataModule) -> None:
    """Refuse a share of a split that is less than a batch.

    :raises InputError: which says how many batches the split has.
    """
    for key, split in LIMITS.items():
        share = trainer[key]
        if not isinstance(share, float) or share == 0 or not data.has(split):
            continue
        is_train = split == "train"
        batches = data.batches_an_epoch() if is_train else len(data.evaluation_loader(split))
        if batches is not None and batches * share < 1:
            raise InputError(
                f"trainer.{key}={share} is less than a batch of the {split} split, which has "
                f"{batches}; give a number of batches, such as trainer.{key}=1."
            )


def settle_length(trainer: DictConfig, batches: int | None) -> None:
    """How long training lasts and how often it validates, unless the user says.

    A limit of steps or of time takes the place of one of epochs. Validation goes by epochs, unless
    there is a whole number of batches, which are counted across epochs.

    :param batches: of an epoch; None if nobody knows.
    """
    steps = None if batches is None else _steps(trainer, batches)
    interval = trainer.val_check_interval
    if trainer.max_epochs is None:
        if trainer.max_steps != -1 or trainer.max_time is not None:
            trainer.max_epochs = -1
        else:
            trainer.max_epochs = LEAST_EPOCHS if steps is None else epochs_of_training(steps)
    if trainer.check_val_every_n_epoch is not None:
        _check_interval(interval, batches, trainer.limit_train_batches)
    if trainer.check_val_every_n_epoch is not None or isinstance(interval, int):
        return
    trainer.check_val_every_n_epoch = 1
    if steps is not None and interval is None:
        epochs = math.inf if trainer.max_epochs == -1 else trainer.max_epochs
        if trainer.max_steps != -1:
            epochs = min(epochs, trainer.max_steps / steps)
        trainer.check_val_every_n_epoch = epochs_between_validations(steps, epochs=epochs)


def _check_interval(interval: Any, batches: int | None, limit: int | float | None) -> None:
    """Refuse to count more batches within an epoch than it has."""
    if batches is None or not isinstance(interval, int):
        return
    if isinstance(limit, int):
        batches = min(batches, limit)
    if interval > batches:
        raise InputError(
            f"trainer.val_check_interval={interval} with trainer.check_val_every_n_epoch asks for "
            f"a validation after so many batches of one epoch, which has {batches}; leave "
            "trainer.check_val_every_n_epoch out to count batches across epochs."
        )


def _steps(trainer: DictConfig, batches: int) -> int:
    """Optimizer steps of an epoch of so many batches."""
    limit = trainer.limit_train_batches
    if limit is not None:
        batches = min(batches, limit) if isinstance(limit, int) else int(batches * limit)
    return math.ceil(max(1, batches) / trainer.accumulate_grad_batches)


def _say_length(cfg: DictConfig, data: DataModule) -> None:
    trainer, batches = cfg.trainer, data.batches_an_epoch()
    limits = {
        "max_epochs": "{:,} epochs (trainer.max_epochs)",
        "max_steps": "{:,} steps (trainer.max_steps)",
    }
    given = [text.format(trainer[key]) for key, text in limits.items() if trainer[key] != -1]
    given += [f"trainer.max_time={trainer.max_time}"] if trainer.max_time else []
    by_epochs = f"{trainer.check_val_every_n_epoch} epochs"
    by_batches = f"{trainer.val_check_interval} batches"
    logger.info(
        "Length: %s; an epoch has %s batches of at most %s target and %s source symbols "
        "(batching.max_tokens, max_source_tokens); a validation every %s",
        f"at most {' or '.join(given)}" if given else "until it is stopped",
        "an unknown number of" if batches is None else f"{batches:,}",
        cfg.batching.max_tokens,
        cfg.batching.max_source_tokens,
        by_batches if trainer.check_val_every_n_epoch is None else by_epochs,
    )


def _settle_monitor(plan: Plan) -> None:
    """Leave a score that cannot get better for one that can, or for the loss.

    So it is with BLEU where no reference has four words.
    """
    monitor = plan.cfg.monitor
    rows = plan.data.encoded("validation").rows
    found = sorted(set(rows[:ROWS_FOR_ROOM].tolist()))
    rooms = rooms_of(plan.metrics, plan.data.references("validation", found))
    if rooms.get(monitor.name, True):
        return
    with_room = [name for name, room in rooms.items() if room]
    chosen = next(iter(with_room), LOSS)
    reason = (
        f"{monitor.name} cannot tell outputs apart here: it gives the references themselves no "
        "better score than empty outputs"
    )
    if on_command_line("monitor.name", "monitor"):
        raise InputError(f"{reason}; choose monitor.name={chosen}.")
    logger.warning("%s, so %s is monitored", reason, chosen)
    plan.monitor(chosen, _direction(plan.metrics, chosen))


def rooms_of(metrics: Sequence[Metric], references: list[list[str]]) -> dict[str, bool]:
    """Whether each score, as ``val/<name>``, is better for references than for empty outputs."""
    rooms = {}
    for metric in metrics:
        best = metric([texts[0] for texts in references], references)
        worst = metric(["" for _ in references], references)
        for name, direction in metric.directions.items():
            more = best[name] - worst[name]
            rooms[f"val/{name}"] = more > 0 if direction == "max" else more < 0
    return rooms


def _direction(metrics: Sequence[Metric], name: str) -> Direction:
    directions = {f"val/{key}": way for one in metrics for key, way in one.directions.items()}
    return directions.get(name, "min")
