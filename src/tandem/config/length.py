"""How long training lasts: what the user says of it, and what follows from the data."""

import logging
import math
from typing import Any

from omegaconf import DictConfig

from tandem.core.errors import InputError
from tandem.data.module import DataModule
from tandem.training.length import LEAST_EPOCHS, epochs_between_validations, epochs_of_training

logger = logging.getLogger(__name__)

LIMITS = {
    "limit_train_batches": "train",
    "limit_val_batches": "validation",
    "limit_test_batches": "test",
}
"""Keys of the trainer that take a part of a split."""


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


def say_length(cfg: DictConfig, data: DataModule) -> None:
    """Log how long training lasts, in which batches, and how often it validates."""
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
