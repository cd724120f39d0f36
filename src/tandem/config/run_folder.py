"""The folder of a run: reserved, locked, and with a record of how the run ended."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from tandem.config.build import without_ways_to_compute
from tandem.config.instantiate import plain
from tandem.core.errors import InputError, reason_of
from tandem.core.files import make_new_folder, remove_dead_parts
from tandem.core.lock import LOCK, LockedError, is_locked, lock_folder
from tandem.core.run_record import (
    RECORD,
    is_finished,
    read_record,
    timestamp,
    write_record,
)
from tandem.core.stopping import Stopped

OF_A_START = ("train.log", "wandb", LOCK, RECORD)
"""What is there before a run has its ``config.yaml``."""
OF_TRAINING = ("checkpoints/last.ckpt", "metrics.csv", "samples.jsonl")
"""Files that change as soon as a resumed run trains."""


@contextmanager
def run_folder(cfg: DictConfig) -> Iterator[Path]:
    """Make the run's folder, or find the one to resume in, and hold its lock.

    A name that holds the time of the start gets a number if another run has it, which changes
    ``cfg``. A start that ends before the run has its ``config.yaml`` leaves no folder behind.
    Several machines share a folder, so that there the first rank holds the lock.

    :raises InputError: if the folder holds a run that is not to be resumed, or if a process
        trains in it now.
    """
    folder, is_new = _make_folder(cfg)
    if not is_locked(folder):  # leave no lock in a folder that is something else
        _check_free(folder, cfg)
    with ExitStack() as stack:
        if cfg.trainer.num_nodes == 1:
            stack.enter_context(locked(folder))
        _check_free(folder, cfg)
        try:
            yield folder
        except (InputError, Stopped):
            if is_new and not holds_a_run(folder):
                shutil.rmtree(folder, ignore_errors=True)
            raise


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's folder, without what writers left there that were killed."""
    with ExitStack() as stack:
        try:
            stack.enter_context(lock_folder(folder))
        except LockedError as error:
            raise InputError(
                f"The run in {folder} is being trained by {error}; wait for its end or stop it, "
                "or choose another run.folder."
            ) from error
        remove_dead_parts(folder)
        yield


@contextmanager
def recorded(folder: Path, **facts: Any) -> Iterator[None]:
    """Say in ``run.json`` that a run goes on and, if it does not come to its end, why.

    Whoever finishes the run writes the record of that. A finished run that fails to train longer
    before it has changed anything stays as it is.

    :param facts: what is known from the start.
    """
    before, unchanged = read_record(folder), _changed_at(folder)
    start = {"started": before.get("started") or timestamp(), "ended": None}
    write_record(folder, {**before, **facts, "state": "running", "why": None, **start})
    try:
        yield
    except BaseException as error:
        if is_finished(before) and _changed_at(folder) == unchanged:
            write_record(folder, before)
        else:
            write_record(folder, {**read_record(folder), **_ending(error)})
        raise


def _ending(error: BaseException) -> dict[str, Any]:
    """What the record says of a run that did not come to its end."""
    if isinstance(error, Stopped):
        return {"state": "stopped", "why": f"{error.signal_name} stopped it", "ended": timestamp()}
    first_line, *_ = str(error).splitlines() or [""]
    kind = type(error).__name__
    why = first_line if isinstance(error, InputError) else f"{kind}: {first_line}"
    return {"state": "failed", "why": why, "ended": timestamp()}


def _changed_at(folder: Path) -> list[int | None]:
    paths = [folder / name for name in OF_TRAINING]
    return [path.stat().st_mtime_ns if path.exists() else None for path in paths]


def _make_folder(cfg: DictConfig) -> tuple[Path, bool]:
    """The folder, and whether it has just been made."""
    folder = Path(str(cfg.run.folder))
    try:
        if _is_named_by_time(cfg) and not cfg.resume:
            made = make_new_folder(folder)
            cfg.run.name = f"{cfg.run.name}{made.name.removeprefix(folder.name)}"
            cfg.run.folder = str(made)
            return made, True
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The run folder {folder} cannot be made ({reason_of(error)}); choose another "
            "run.folder."
        ) from error
    return folder, is_new


def _is_named_by_time(cfg: DictConfig) -> bool:
    """Whether the folder's name follows from when the run starts, which two runs may share."""
    written: Any = OmegaConf.to_container(cfg.run, resolve=False)
    return "${now:" in str(written["name"]) and "${run.name}" in str(written["folder"])


def _check_free(folder: Path, cfg: DictConfig) -> None:
    if not cfg.resume and holds_a_run(folder):
        raise InputError(
            f"The run folder {folder} already exists; choose another run.folder, or continue that "
            "run with resume=true."
        )


def holds_a_run(folder: Path) -> bool:
    """Whether there is more than what a start that failed leaves behind."""
    names = {path.name for path in folder.iterdir()}
    return bool(names - set(OF_A_START)) or is_finished(read_record(folder))


def check_same(folder: Path, cfg: DictConfig) -> None:
    """Refuse to go on with another config than the one that the run began with.

    It may only change for how long the run trains, on which devices, how the model is computed, and
    what watches it.
    """
    path = folder / "config.yaml"
    if not path.exists():
        return
    free = {"resume", "test", "callbacks", "logger", "run", "launch"}
    limits = {"max_epochs", "max_steps", "max_time"}
    devices = {"accelerator", "devices", "num_nodes", "strategy"}
    old, new = read_run_config(path), plain(cfg)
    for config in (old, new):
        for key in limits | devices:
            config["trainer"].pop(key, None)
        config["model"] = without_ways_to_compute(config.get("model") or {})
    different = sorted(
        key for key in old.keys() | new.keys() if key not in free and old.get(key) != new.get(key)
    )
    if different:
        raise InputError(
            f"resume=true needs the options that the run began with, but these differ from {path}: "
            f"{', '.join(different)}; give the same ones, or choose another run.folder."
        )


def read_run_config(path: Path) -> dict[str, Any]:
    """The config that a run began with.

    :raises InputError: if the file is damaged or something else.
    """
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict) or not isinstance(config.get("trainer"), dict):
            raise ValueError("it is not the config of a run")
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = reason_of(error)
        raise InputError(
            f"{path} cannot be read ({reason}), so the options with which the run began "
            "are unknown; remove it to continue with those that you give now."
        ) from error
    return config
