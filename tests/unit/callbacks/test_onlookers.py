"""What only looks on never ends a run: every callback and logger of ``conf/`` made to fail."""

import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
import pytest
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig
from rich.console import Console

from tandem.callbacks import Onlooker
from tandem.callbacks.onlooker import HOOKS, guard_onlooker, may_fail
from tandem.config.build import build_callbacks, build_loggers
from tandem.config.catalogue import config_groups
from tandem.core.onlookers import guard, public_methods
from tandem.loggers import PACKAGES, finish

Compose = Callable[..., DictConfig]

NO_ONLOOKERS = {
    "average": "training ends with its weights",
    "best": "training ends with its weights",
    "early_stopping": "it decides when training ends",
    "ema": "training ends with its weights",
    "last": "a run resumes from its checkpoints",
    "matmul_precision": "it changes what training computes",
    "none": "it holds no callback",
    "default": "it holds others of this group",
}
"""Options of the group ``callbacks`` that are no onlookers, and why."""
ONLOOKERS = sorted({*config_groups()["callbacks"]} - NO_ONLOOKERS.keys())
OWN_WARNINGS = pytest.mark.filterwarnings("ignore")
LOGGERS = [
    pytest.param(option, marks=OWN_WARNINGS if option in PACKAGES else ())
    for option in sorted({*config_groups()["logger"]} - {"none"})
]


class BrokenError(Exception):
    """What goes wrong in these tests."""


def breaking(monkeypatch: pytest.MonkeyPatch, cls: type, name: str) -> list[str]:
    """Let a method of a class fail; return a list that grows by each call."""
    calls: list[str] = []

    def broken(self: Any, *args: Any, **kwargs: Any) -> None:
        calls.append(name)
        raise BrokenError("out of ink")

    monkeypatch.setattr(cls, name, broken)
    return calls


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "is switched off" in record.message]


@pytest.fixture
def run_through(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any
) -> Callable[..., dict[str, float]]:
    """Two epochs with validation, a checkpoint and a test."""

    def run(callbacks: list[L.Callback], folder: Path, **settings: Any) -> dict[str, float]:
        bar = any(isinstance(one, ProgressBar) for one in callbacks)
        trainer = tiny_trainer(
            callbacks=callbacks, max_epochs=2, enable_progress_bar=bar, **settings
        )
        trainer.fit(tiny_module(), tiny_loader(4), tiny_loader(4))
        trainer.save_checkpoint(folder / "saved.ckpt")
        trainer.test(trainer.lightning_module, tiny_loader(4), verbose=False)
        assert trainer.global_step == 8
        return {name: float(value) for name, value in trainer.callback_metrics.items()}

    return run


def test_the_table_of_exceptions_names_options() -> None:
    assert NO_ONLOOKERS.keys() <= {*config_groups()["callbacks"]}
    assert ONLOOKERS


@pytest.mark.parametrize(
    ("option", "terminal"), [*((option, False) for option in ONLOOKERS), ("progress", True)]
)
def test_an_onlooker_that_fails_is_left_out(
    option: str,
    terminal: bool,
    compose_config: Compose,
    run_through: Callable[..., dict[str, float]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdout", screen)
    kind = {"TERM": "xterm" if terminal else "dumb"}  # a live line, or lines
    console = Console(file=screen, force_terminal=True, _environ=kind)
    monkeypatch.setattr("rich.get_console", lambda: console)
    cfg = compose_config("train", f"callbacks=[{option}]", f"run.folder={tmp_path}")
    (onlooker,) = build_callbacks(cfg)
    assert isinstance(onlooker, Onlooker)
    failed = 0
    for name in may_fail(onlooker):
        caplog.clear()
        with monkeypatch.context() as patch:
            calls = breaking(patch, type(onlooker), name)
            run_through(build_callbacks(cfg), tmp_path)
        assert len(calls) <= 1
        failed += len(calls)
        assert len(complaints(caplog)) == len(calls)
        for line in complaints(caplog):
            assert line.startswith(f"{type(onlooker).__name__}.{name} failed (BrokenError: out of")
            assert f"{Path(__file__).name}, line " in line
    assert failed


@pytest.mark.parametrize("option", LOGGERS)
@pytest.mark.parametrize("method", ["log_metrics", "log_hyperparams", "save", "finalize"])
def test_a_logger_that_fails_is_left_out(
    option: str,
    method: str,
    compose_config: Compose,
    run_through: Callable[..., dict[str, float]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    if option in PACKAGES:
        pytest.importorskip(PACKAGES[option])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    cfg = compose_config("train", f"logger=[{option}]", f"run.folder={tmp_path}")
    probe, *_ = build_loggers(cfg)
    calls = breaking(monkeypatch, type(probe), method)
    loggers = build_loggers(cfg)
    run_through([], tmp_path, logger=loggers)
    loggers[0].log_hyperparams({"a": 1})
    finish(loggers, exit_code=0)
    assert len(calls) == len(complaints(caplog)) == 1


def test_what_is_no_onlooker_still_ends_the_run(
    run_through: Callable[..., dict[str, float]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Needed(L.Callback):
        """Something on which the run depends."""

    breaking(monkeypatch, Needed, "on_train_epoch_end")
    with pytest.raises(BrokenError):
        run_through([guard_onlooker(Needed())], tmp_path)


def test_a_failure_leaves_out_all_methods_from_then_on(caplog: pytest.LogCaptureFixture) -> None:
    class Watcher:
        """Counts what it sees, up to two."""

        seen = 0

        def look(self, step: int) -> int:
            self.seen += 1
            if step == 2:
                raise ValueError("too much")
            return step

        def close(self) -> None:
            self.seen = -1

    watcher = Watcher()
    guard(watcher, public_methods(watcher))
    with caplog.at_level(logging.WARNING):
        assert [watcher.look(step) for step in range(4)] == [0, 1, None, None]
        watcher.close()
    assert watcher.seen == 3
    (line,) = complaints(caplog)
    assert line.startswith("Watcher.look failed (ValueError: too much; ")
    assert line.endswith("and is switched off; the run continues without it")


def test_public_methods_are_those_of_lightnings_loggers() -> None:
    class Own(Logger):
        """A logger of somebody's."""

        name = version = ""

        def log_metrics(self, metrics: Any, step: int | None = None) -> None:
            """Nothing."""

        def log_hyperparams(self, params: Any) -> None:
            """Nothing."""

    assert {"log_metrics", "log_hyperparams", "save", "finalize"} <= {*public_methods(Own())}
    assert "experiment" not in public_methods(Own())
    assert {"on_train_batch_end", "setup", "state_dict"} <= {*HOOKS}
