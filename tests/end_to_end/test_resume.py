"""A run that was killed goes on as if nothing had happened."""

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import lightning as L
import pytest
import torch
from safetensors.torch import load_file

from tandem.commands.train import check_epochs
from tandem.core.errors import InputError
from tandem.core.lock import is_locked
from tandem.core.run_record import read_record
from tandem.core.stopping import DEFAULT_HANDLERS, Stopped
from tandem.data.datasets import parallel, reverse

Run = Callable[..., Any]


class KillAt(L.Callback):
    """Kills the process, as a machine that fails does, when a hook is called at a step."""

    def __init__(self, *, hook: str, step: int) -> None:
        def kill(trainer: L.Trainer, *_: Any) -> None:
            if trainer.global_step == step and not trainer.sanity_checking:
                os.kill(os.getpid(), signal.SIGKILL)

        setattr(self, hook, kill)


class StreamedReverse:
    """The pairs of dataset=reverse as a stream of two shards of parallel text."""

    folder: Path

    def __new__(cls, *, streaming: bool, **options: Any) -> Any:
        pairs = reverse(**options)["train"][:]
        for side, column in enumerate(("source", "target")):
            lines = [f"{text}\n" for text in pairs[column]]
            for name, part in (("1", lines[:23]), ("2", lines[23:]), ("held_out", lines[:6])):
                (cls.folder / f"{name}.{side}").write_text("".join(part))
        return parallel(
            data_dir=str(cls.folder),
            train="[12]",
            validation="held_out",
            test="held_out",
            source="0",
            target="1",
            references=None,
            strip=False,
            streaming=streaming,
            seed=0,
            on_bad_example="error",
        )


@pytest.fixture(autouse=True)
def killer(importable: Callable[[type], str], tmp_path: Path) -> None:
    """Let a config name the classes above."""
    StreamedReverse.folder = tmp_path
    assert importable(KillAt) == "tandem_test_killat.KillAt"
    assert importable(StreamedReverse) == "tandem_test_streamedreverse.StreamedReverse"


@pytest.fixture(scope="module")
def straight_runs() -> dict[tuple[str, ...], tuple[Path, dict[str, float]]]:
    """Runs that were never disturbed by their options, with their scores; not to be changed."""
    return {}


@pytest.fixture
def straight(
    train_tiny: Run, straight_runs: dict[Any, Any], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """Train with some options without a disturbance, once; return the folder and the scores."""

    def run(*options: str) -> tuple[Path, dict[str, float]]:
        if options not in straight_runs:
            folder = tmp_path_factory.mktemp("straight") / "run"
            straight_runs[options] = folder, train_tiny(folder, *options)
        return straight_runs[options]

    return run


def killed(train_tiny: Run, folder: Path, *overrides: str, hook: str, step: int) -> None:
    """Train in a child process that dies on its way."""
    child = os.fork()
    if child == 0:
        try:
            train_tiny(
                folder,
                *overrides,
                "+callbacks.kill._target_=tandem_test_killat.KillAt",
                f"+callbacks.kill.hook={hook}",
                f"+callbacks.kill.step={step}",
            )
        finally:
            os._exit(3)  # it should not get here
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


COMMON = ("trainer.max_epochs=3", "dropout=0.3", "callbacks.last.every_n_train_steps=2")
BY_LOSS = ("monitor.name=val/loss",)
EMA = ("callbacks=[default,ema]", "callbacks.ema.decay=0.8", *BY_LOSS)
NOISE = ("noise=[word_dropout,scheduled_sampling]", "noise.scheduled_sampling.steps=12")
LAYER_DROP = (
    "encoder=transformer",
    "encoder.num_heads=2",
    "encoder.num_layers=4",
    "noise=[layer_drop]",
    "noise.layer_drop.probability=0.4",
)
CURRICULUM = ("curriculum=competence", "curriculum.start=0.5", "curriculum.epochs=2")
BPE_DROPOUT = (
    "tokenizer=bpe",
    "tokenizer.vocabulary_size=286",
    "tokenizer.dropout=0.5",
    "batching.max_tokens=40",
)
AVERAGE = ("callbacks=[default,ema,average]", "callbacks.average.count=2", *BY_LOSS)
THAW = "optimizer.groups={encoder: {frozen: 4}, decoder: {frozen: 9, lr_factor: 0.5}}"
WITHIN_EPOCHS = ("trainer.check_val_every_n_epoch=1",)
PLATEAU = ("scheduler=plateau", "scheduler.patience=0", "optimizer.lr=0.3", *BY_LOSS)
WITHIN_A_STEP = ("trainer.accumulate_grad_batches=3", "trainer.val_check_interval=2")
"""Validations between the batches of one step of the optimizer: of 5, 3 and 2 make a step."""
STREAM = (
    "dataset._target_=tandem_test_streamedreverse.StreamedReverse",
    "+dataset.streaming=true",
    "data.streaming=true",
    "stream.buffer_size=15",
    "max_length=8",
    *BY_LOSS,
)
"""Six steps an epoch, two a buffer."""


def values(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Rows without what the clock decides, and without empty ones."""
    kept = [
        {name: value for name, value in row.items() if value and "second" not in name}
        for row in rows
    ]
    return [row for row in kept if row.keys() - {"step", "epoch"}]


@pytest.mark.parametrize(
    ("hook", "step", "overrides"),
    [
        ("on_train_batch_start", 8, ()),  # right behind a checkpoint in mid-epoch
        ("on_train_batch_start", 9, ()),  # a step after it
        ("on_train_batch_start", 5, ()),  # an epoch's first batch
        ("on_validation_start", 10, ()),
        ("on_validation_end", 10, PLATEAU),
        ("on_train_epoch_end", 10, PLATEAU),
        ("on_train_epoch_start", 10, PLATEAU),
        ("on_train_epoch_start", 10, BY_LOSS),
        ("on_train_batch_start", 12, PLATEAU),
        (
            "on_train_batch_start",
            7,
            ("scheduler=cosine", "scheduler.warmup_steps=3", "trainer.max_steps=15", THAW),
        ),
        ("on_train_batch_start", 9, EMA),
        ("on_validation_end", 10, EMA),
        ("on_train_epoch_end", 15, (*AVERAGE, "optimizer.lr=0.1")),
        ("on_train_batch_start", 9, NOISE),
        ("on_train_batch_start", 9, LAYER_DROP),
        ("on_train_batch_start", 7, CURRICULUM),
        ("on_train_batch_start", 17, BPE_DROPOUT),
        ("on_train_epoch_start", 14, BPE_DROPOUT),
        ("on_train_batch_start", 9, STREAM),  # a step after a checkpoint, within a buffer
        ("on_train_batch_start", 7, STREAM),  # behind a checkpoint between epochs
        ("on_train_batch_start", 6, (*STREAM, "trainer.limit_train_batches=4")),
        ("on_train_batch_start", 4, ("trainer.accumulate_grad_batches=2",)),
        ("on_validation_start", 8, (*WITHIN_EPOCHS, "trainer.val_check_interval=3")),
        ("on_validation_start", 6, ("trainer.val_check_interval=1", *PLATEAU)),
        ("on_train_batch_start", 9, ("trainer.val_check_interval=2", *PLATEAU)),
        ("on_validation_end", 2, WITHIN_A_STEP),
        ("on_train_batch_end", 3, WITHIN_A_STEP),
    ],
)
def test_a_killed_run_goes_on_exactly(
    train_tiny: Run,
    straight: Run,
    read_metrics: Run,
    tmp_path: Path,
    hook: str,
    step: int,
    overrides: tuple[str, ...],
) -> None:
    options = (*COMMON, *overrides)
    check_goes_on(train_tiny, straight, read_metrics, tmp_path, *options, hook=hook, step=step)


def test_a_killed_run_from_a_trained_start_goes_on_exactly(
    train_tiny: Run, straight: Run, read_metrics: Run, finished_run: Path, tmp_path: Path
) -> None:
    options = (*COMMON, "hidden_size=32", "risk=self_critical", f"init_from={finished_run}")
    kill = {"hook": "on_train_batch_start", "step": 9}
    check_goes_on(train_tiny, straight, read_metrics, tmp_path, *options, **kill)


def check_goes_on(
    train_tiny: Run,
    straight: Run,
    read_metrics: Run,
    tmp_path: Path,
    *options: str,
    hook: str,
    step: int,
) -> None:
    broken = tmp_path / "broken"
    whole, expected = straight(*options)
    killed(train_tiny, broken, *options, hook=hook, step=step)
    assert read_record(broken)["state"] == "running"
    assert not is_locked(broken)
    metrics = train_tiny(broken, *options, "resume=true")

    assert values(read_metrics(broken)) == values(read_metrics(whole))
    speed = "train/tokens_per_second"
    assert {**metrics, speed: 0} == {**expected, speed: 0}
    weights = [load_file(folder / "bundle" / "model.safetensors") for folder in (whole, broken)]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    states = [
        torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
        for folder in (whole, broken)
    ]
    for key in ("lr_schedulers", "global_step", "epoch"):
        assert states[0][key] == states[1][key]
    assert "EarlyStopping" in str(states[0]["callbacks"].keys())
    for name, state in states[0]["callbacks"].items():
        if "EarlyStopping" in name:
            assert state == states[1]["callbacks"][name]


class StopAt(L.Callback):
    """Sends a signal to its own process once, as a person or a scheduler does."""

    def __init__(self, *, hook: str, step: int, number: int) -> None:
        self.sent = False

        def send(trainer: L.Trainer, *_: Any) -> None:
            if trainer.global_step == step and not self.sent:
                self.sent = True
                os.kill(os.getpid(), number)

        setattr(self, hook, send)


@pytest.mark.parametrize(
    ("hook", "step", "number", "overrides", "saved"),
    [
        ("on_train_batch_start", 6, signal.SIGINT, (), 7),
        ("on_train_batch_start", 6, signal.SIGTERM, (), 7),
        ("on_train_batch_start", 4, signal.SIGTERM, (), 5),  # an epoch's last batch
        ("on_validation_start", 5, signal.SIGTERM, (), 6),
        ("on_validation_end", 10, signal.SIGTERM, (), 10),  # the run's last validation
        ("on_train_batch_start", 4, signal.SIGTERM, ("trainer.accumulate_grad_batches=2",), 5),
        ("on_validation_start", 0, signal.SIGHUP, WITHIN_A_STEP, 1),
        ("on_validation_end", 2, signal.SIGTERM, WITHIN_A_STEP, 3),
    ],
)
def test_a_stopped_run_goes_on_exactly(
    train_tiny: Run,
    straight: Run,
    read_metrics: Run,
    importable: Callable[[type], str],
    tmp_path: Path,
    hook: str,
    step: int,
    number: int,
    overrides: tuple[str, ...],
    saved: int,
) -> None:
    common = ("trainer.max_epochs=2", "dropout=0.3", *overrides)
    values_of = {"_target_": importable(StopAt), "hook": hook, "step": step, "number": number}
    sent = [f"+callbacks.stop.{key}={value}" for key, value in values_of.items()]
    whole, expected = straight(*common)
    with pytest.raises(Stopped) as caught:
        train_tiny(tmp_path / "stopped", *common, *sent)
    assert caught.value.code == 128 + number
    assert signal.getsignal(number) == DEFAULT_HANDLERS[number]
    last = tmp_path / "stopped" / "checkpoints" / "last.ckpt"
    assert torch.load(last, weights_only=True)["global_step"] == saved
    metrics = train_tiny(tmp_path / "stopped", *common, "resume=true")
    speed = "train/tokens_per_second"  # like the loss, not there if no step was left to do
    assert {**expected, **metrics, speed: 0} == {**expected, speed: 0}
    rows = [values(read_metrics(folder)) for folder in (whole, tmp_path / "stopped")]
    assert rows[0] == rows[1]


def test_a_finished_run_trains_longer(train_tiny: Run, read_metrics: Run, tmp_path: Path) -> None:
    long = ("dropout=0.3", "trainer.max_epochs=2")
    train_tiny(tmp_path / "straight", *long)
    train_tiny(tmp_path / "run", "dropout=0.3")
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    before = torch.load(last, weights_only=True)["callbacks"]["TrainingTime"]["seconds"]
    train_tiny(tmp_path / "run", *long, "resume=true")
    after = torch.load(last, weights_only=True)["callbacks"]["TrainingTime"]["seconds"]
    assert 0 < before < after
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["training_seconds"] >= round(after, 1)
    rows = [values(read_metrics(tmp_path / name)) for name in ("straight", "run")]
    assert rows[0] == rows[1]


def test_a_run_that_is_beyond_its_last_epoch_is_not_resumed() -> None:
    for limit in (None, -1, 21):
        check_epochs(cast(Any, SimpleNamespace(max_epochs=limit)), 21)
    message = "trainer.max_epochs is 20, but 21 epochs of this run are over; set it to a larger"
    with pytest.raises(InputError, match=message):
        check_epochs(cast(Any, SimpleNamespace(max_epochs=20)), 21)


def test_nothing_to_resume_starts_anew(train_tiny: Run, tmp_path: Path) -> None:
    assert train_tiny(tmp_path / "run", "resume=true")


def test_resume_needs_the_same_options(train_tiny: Run, tmp_path: Path) -> None:
    train_tiny(tmp_path / "run", "test=false")
    with pytest.raises(InputError) as caught:
        train_tiny(tmp_path / "run", "resume=true", "hidden_size=16", "dropout=0.5")
    message = str(caught.value)
    assert message.startswith(
        "resume=true needs the options that the run began with, but these differ from "
        f"{tmp_path / 'run' / 'config.yaml'}: "
    )
    assert "hidden_size" in message
    assert message.endswith("; give the same ones, or choose another run.folder.")


def test_a_checkpoint_cannot_run_code(train_tiny: Run, tmp_path: Path) -> None:
    train_tiny(tmp_path / "run", "test=false")
    sentinel = tmp_path / "sentinel"

    class Payload:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {sentinel}",)

    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    state = torch.load(path, weights_only=True)
    torch.save({**state, "payload": Payload()}, path)
    train_tiny(tmp_path / "run", "test=false", "resume=true")
    assert not sentinel.exists()
    log = (tmp_path / "run" / "train.log").read_text()
    assert f"WARNING {path}: Weights only load failed" in log
    assert f"Falling back to the checkpoint {path.with_name('best.ckpt')} of step 5" in log


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.yaml", b"", "config.yaml cannot be read (it is not the config of a run), so the"),
        ("config.yaml", b"\xff\x00", "config.yaml cannot be read ("),
        (
            "checkpoints/best.ckpt",
            b"text",
            "best.ckpt cannot be read (File is not a zip file); put",
        ),
    ],
)
def test_what_cannot_be_read_is_named(
    train_tiny: Run, copied_run: Path, name: str, content: bytes, message: str
) -> None:
    (copied_run / name).write_bytes(content)
    options = ("hidden_size=32", "optimizer.lr=0.02", "trainer.max_epochs=12")
    with pytest.raises(InputError, match=re.escape(message)):
        train_tiny(copied_run, *options, "metric=[exact_match,chrf]", "resume=true")


def test_metrics_that_cannot_be_read_are_put_aside(train_tiny: Run, copied_run: Path) -> None:
    (copied_run / "metrics.csv").write_bytes(b"step,epoch\n\xff\x00,\n")
    options = ("hidden_size=32", "optimizer.lr=0.02", "trainer.max_epochs=12")
    train_tiny(copied_run, *options, "metric=[exact_match,chrf]", "resume=true")
    assert (copied_run / "metrics.damaged.csv").read_bytes() == b"step,epoch\n\xff\x00,\n"
    assert "metrics.csv cannot be read (Unicode" in (copied_run / "train.log").read_text()
