"""A tiny run, what its folder holds, and in what two folders differ, times aside."""

import csv
import errno
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml
from omegaconf import DictConfig

from tandem.commands.train import train
from tandem.config.launch import compose
from tandem.core.errors import InputError

TINY = (
    "dataset=reverse",
    "dataset.size=40",
    "dataset.max_length=4",
    "dataset.symbols=5",
    "hidden_size=8",
    "dropout=0.3",
    "batching.max_sentences=8",
    "trainer=cpu",
    "trainer.max_epochs=2",
    "trainer.log_every_n_steps=1",
    "callbacks.last.every_n_train_steps=2",
    "callbacks.attention_maps.count=1",
    "logger=csv",
)
"""Five steps an epoch."""
CLOCK = ("per_second", "seconds", "started", "ended", "command", "folder")
"""Parts of names of what may differ: by the clock, or as it is where it is."""
NOT_COMPARED = ("train.log", ".lock", "wandb")


STREAM = (
    "dataset=parallel",
    "dataset.train=train-*",
    "dataset.validation=held_out",
    "dataset.test=held_out",
    "dataset.source=x",
    "dataset.target=y",
    "data.streaming=true",
    "stream.buffer_size=15",
    "max_length=8",
    "batching.max_sentences=8",
)
"""Two shards of 20 pairs, which :func:`write_pairs` writes."""


def write_pairs(folder: Path) -> None:
    """Write the files of ``STREAM``: words, and the same words in reverse."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [
        [chr(97 + (row * 7 + place * 3) % 9) for place in range(1 + row % 4)] for row in range(48)
    ]
    for name, part in (
        ("train-1", words[:20]),
        ("train-2", words[20:40]),
        ("held_out", words[40:]),
    ):
        (folder / f"{name}.x").write_text("".join(f"{' '.join(row)}\n" for row in part))
        (folder / f"{name}.y").write_text("".join(f"{' '.join(row[::-1])}\n" for row in part))


def tiny_config(folder: Path, *overrides: str) -> DictConfig:
    """The config of a tiny run."""
    own = [item for item in TINY if "dataset=parallel" not in overrides or "dataset" not in item]
    return compose("train", [*own, *overrides, "run.name=run", f"run.folder={folder}"])


def in_child(cfg: DictConfig, log: Path, before: Callable[[], None] = lambda: None) -> int:
    """Train in a forked process, which needs no imports; return the process's id.

    :param log: where its output goes.
    :param before: called in the process before it trains.
    """
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(file, 1)
        os.dup2(file, 2)
        before()
        train(cfg)
        code = 0
    except SystemExit as stopped:
        code = int(str(stopped.code))
    except (InputError, OSError) as error:
        print(f"error: {error}")
        code = 2 if isinstance(error, InputError) or error.errno == errno.ENOSPC else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait_for(child: int) -> int:
    """The exit code of a child; of one that a signal ended minus its number."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def train_whole(cfg: DictConfig, log: Path) -> None:
    """Train to the end.

    :raises RuntimeError: with what the process printed, if it does not end well.
    """
    if wait_for(in_child(cfg, log)):
        raise RuntimeError(f"The run {cfg.run.folder} failed:\n{log.read_text()}")


def kill_at_event(folder: Path, number: int) -> Callable[[], None]:
    """What makes a process kill itself before it changes a file of a folder the n-th time."""
    left = number

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if is_change(event, arguments) and str(folder) in str(arguments[0]):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return lambda: sys.addaudithook(watch)


def is_change(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether an event of Python's audit changes what is on disk."""
    if event == "open":
        return bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
    return event in ("os.rename", "os.remove", "os.truncate", "os.mkdir", "os.rmdir", "os.link")


def differences(one: Path, two: Path) -> list[str]:
    """In what two folders of runs differ, a line each."""
    names = [{str(path.relative_to(folder)) for path in compared(folder)} for folder in (one, two)]
    found = [
        f"only in {folder.name}: {name}"
        for folder, own, other in ((one, names[0], names[1]), (two, names[1], names[0]))
        for name in sorted(own - other)
    ]
    for name in sorted(names[0] & names[1]):
        contents = [content(folder / name) for folder in (one, two)]
        place = first_difference(*contents)
        if place is not None:
            found.append(f"{name}: {place}")
    return found


def compared(folder: Path) -> list[Path]:
    """Files that are to be the same."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in NOT_COMPARED
    ]


def content(path: Path) -> Any:
    """What a file says, in parts that can be compared."""
    if path.suffix == ".ckpt":
        return torch.load(path, weights_only=True)
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return list(csv.DictReader(file))
    if path.suffix not in (".json", ".yaml", ".jsonl"):
        return path.read_bytes()
    text = path.read_text()
    if path.suffix == ".jsonl":
        return text.splitlines()
    return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)


def first_difference(one: Any, two: Any, where: tuple[str, ...] = ()) -> str | None:
    """Where two contents differ first, with both values; None if they don't."""
    if where and any(part in where[-1] for part in CLOCK):
        return None
    if isinstance(one, torch.Tensor) and isinstance(two, torch.Tensor):
        return None if torch.equal(one, two) else f"{' > '.join(where)}: other numbers"
    if isinstance(one, dict) and isinstance(two, dict):
        if one.keys() != two.keys():
            return f"{' > '.join(where)}: keys {list(one)} and {list(two)}"
        pairs = [(one[key], two[key], str(key)) for key in one]
    elif isinstance(one, list | tuple) and isinstance(two, list | tuple):
        if len(one) != len(two):
            return f"{' > '.join(where)}: {len(one)} and {len(two)} entries"
        pairs = [(a, b, str(place)) for place, (a, b) in enumerate(zip(one, two, strict=True))]
    else:
        same = one == two or (one != one and two != two)
        return None if same else f"{' > '.join(where)}: {str(one)[:100]} and {str(two)[:100]}"
    for a, b, name in pairs:
        place = first_difference(a, b, (*where, name))
        if place is not None:
            return place
    return None
