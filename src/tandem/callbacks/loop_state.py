"""Mends of the counters that Lightning keeps in checkpoints."""

from typing import Any

import lightning as L


def begin_next_epoch(trainer: L.Trainer, loops: dict[str, Any]) -> None:
    """Let a run that resumes from the end of an epoch begin the next one.

    With a limit of steps Lightning ends the epoch a second time instead, and counts it twice.

    :param loops: the state of the fit loop in a checkpoint, which is changed.
    """
    epochs = loops["epoch_progress"]
    at_end = epochs["total"]["started"] == epochs["total"]["processed"]
    if trainer.max_steps == -1 or not at_end:
        return
    for scope in ("total", "current"):
        epochs[scope]["completed"] = epochs[scope]["processed"]
    for name, progress in loops.items():
        if name.startswith("epoch_loop.") and "val_loop" not in name:
            _forget_current(progress)
    _set_to_zero(loops["epoch_loop.val_loop.batch_progress"]["total"])


def _forget_current(progress: dict[str, Any]) -> None:
    """Set what is counted within an epoch to 0, at any depth."""
    for name, value in progress.items():
        if name == "current":
            _set_to_zero(value)
        elif isinstance(value, dict):
            _forget_current(value)


def _set_to_zero(counts: dict[str, int]) -> None:
    counts.update(dict.fromkeys(counts, 0))
