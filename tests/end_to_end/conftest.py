"""Runs small enough for a test: some steps on a toy task, in this process."""

import csv
import importlib
import inspect
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from omegaconf import DictConfig

from tandem.commands.arguments import FOLDERS, as_overrides
from tandem.commands.train import train

TINY = (
    "dataset=reverse",
    "dataset.size=40",
    "dataset.max_length=4",
    "dataset.symbols=5",
    "hidden_size=8",
    "batching.max_sentences=8",
    "trainer=cpu",
    "trainer.max_epochs=1",
    "trainer.log_every_n_steps=1",
    "logger=csv",
)
"""Five steps an epoch."""

Compose = Callable[..., DictConfig]
TrainTiny = Callable[..., dict[str, float]]
TrainOnce = Callable[..., Path]
Importable = Callable[[type], str]
ReadMetrics = Callable[[Path], list[dict[str, str]]]
WriteExamples = Callable[[str, Path], list[Path]]
RunLine = Callable[..., Any]


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache for the test session."""
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.delenv("TANDEM_DATA", raising=False)


@pytest.fixture
def write_examples() -> WriteExamples:
    """Write the code of a document that begins with a path in a comment, as a reader would."""

    def write(document: str, folder: Path) -> list[Path]:
        pattern = r"^```\w+\n((?:# @package \S+\n)?# (\S+\.(?:yaml|py))\n.*?)^```"
        paths = []
        for text, name in re.findall(pattern, document, re.MULTILINE | re.DOTALL):
            paths.append(folder / name)
            paths[-1].parent.mkdir(parents=True, exist_ok=True)
            paths[-1].write_text(text)
        return paths

    return write


@pytest.fixture
def run_line(compose_config: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunLine:
    """Do in a folder what a reader of a document types there: a line, more overrides by command.

    Python, pytest and Tandem run in this process; what else there is, a shell runs.
    """

    def call(line: str, short: Mapping[str, Sequence[str]]) -> Any:
        program, *arguments = shlex.split(line.removeprefix("PYTHONPATH=. "))
        if program == "python":
            monkeypatch.setattr(sys, "argv", arguments)
            return runpy.run_path(arguments[0])
        if program == "pytest":
            module = importlib.import_module(Path(arguments[0]).stem)
            tests = [test for name, test in vars(module).items() if name.startswith("test_")]
            assert tests
            for test in tests:
                test(**dict.fromkeys(inspect.signature(test).parameters, tmp_path))
            return None
        if program == "tandem":
            name, *overrides = arguments
            if name in FOLDERS:
                overrides = as_overrides(overrides, name)
            conf = tmp_path / "conf"
            own = [f"hydra.searchpath=[file://{conf}]"] * conf.is_dir()
            command = getattr(importlib.import_module(f"tandem.commands.{name}"), name)
            return command(compose_config(name, *own, *overrides, *short.get(name, ())))
        return subprocess.run(line, shell=True, check=True)

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return call


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> Importable:
    """Let a config name a class of a test; return the name."""

    def register(cls: type) -> str:
        module = ModuleType(f"tandem_test_{cls.__name__.lower()}")
        setattr(module, cls.__name__, cls)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return f"{module.__name__}.{cls.__name__}"

    return register


@pytest.fixture
def compose_tiny(compose_config: Compose) -> Compose:
    """Compose a tiny ``train`` config with more overrides."""
    return lambda *overrides: compose_config("train", *TINY, *overrides)


@pytest.fixture
def compose_command(compose_config: Compose) -> Compose:
    """Compose the config of another command: name, overrides."""
    return compose_config


@pytest.fixture
def train_tiny(compose_tiny: Compose) -> TrainTiny:
    """Train into a folder with more overrides, without pictures."""

    def run(folder: Path, *overrides: str) -> dict[str, float]:
        pictures = () if "callbacks=none" in overrides else ("callbacks.attention_maps.count=0",)
        return train(compose_tiny(f"run.folder={folder}", *pictures, *overrides))

    return run


@pytest.fixture
def tiny() -> tuple[str, ...]:
    """The overrides of a tiny run."""
    return TINY


@pytest.fixture
def read_metrics() -> ReadMetrics:
    """Rows of a run's ``metrics.csv``."""

    def read(folder: Path) -> list[dict[str, str]]:
        with (folder / "metrics.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture(scope="session")
def train_once(tmp_path_factory: pytest.TempPathFactory, compose_config: Compose) -> TrainOnce:
    """Train a tiny model for several tests with a name and more overrides; return its folder."""

    def run(name: str, *overrides: str) -> Path:
        folder = tmp_path_factory.mktemp(name) / "run"
        pictures = "callbacks.attention_maps.count=0"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TANDEM_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
            train(compose_config("train", *TINY, f"run.folder={folder}", pictures, *overrides))
        return folder

    return run


@pytest.fixture(scope="session")
def finished_run(train_once: TrainOnce) -> Path:
    """A finished run with a model that knows the task well enough; not to be changed."""
    length = ("optimizer.lr=0.02", "trainer.max_epochs=12")
    return train_once("finished", "hidden_size=32", *length, "metric=[exact_match,chrf]")


@pytest.fixture
def copied_run(finished_run: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(finished_run, tmp_path / "copied")
