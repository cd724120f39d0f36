"""Checkpoints: whole or not there, and good to go on from."""

import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch

from tandem.callbacks import (
    AtomicCheckpointIO,
    BestCheckpoint,
    EarlyStopping,
    LastCheckpoint,
    find_checkpoint,
    read_checkpoint,
)
from tandem.callbacks.checkpoint_io import TRAINING_PARTS
from tandem.core.errors import InputError


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let writing beyond ``size`` fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_write_and_read(tmp_path: Path) -> None:
    plugin = AtomicCheckpointIO()
    path = tmp_path / "checkpoints" / "last.ckpt"
    plugin.save_checkpoint({"step": 1}, path)
    plugin.save_checkpoint({"step": 2}, path)
    assert plugin.load_checkpoint(path) == {"step": 2}
    assert list(path.parent.iterdir()) == [path]


def test_no_room_keeps_the_previous_one(tmp_path: Path) -> None:
    plugin = AtomicCheckpointIO()
    path = tmp_path / "last.ckpt"
    plugin.save_checkpoint({"step": 1}, path)
    message = f"No room for a checkpoint: {path} (0.2 MB) could not be written (File too large)"
    with largest_file(100_000), pytest.raises(InputError, match=re.escape(message)):
        plugin.save_checkpoint({"weights": torch.zeros(50_000)}, path)
    assert plugin.load_checkpoint(path) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_crash_while_writing_keeps_the_previous_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = AtomicCheckpointIO()
    path = tmp_path / "last.ckpt"
    plugin.save_checkpoint({"step": 1}, path)

    def die(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", die)
    with pytest.raises(KeyboardInterrupt):
        plugin.save_checkpoint({"step": 2}, path)
    monkeypatch.undo()
    assert plugin.load_checkpoint(path) == {"step": 1}
    plugin.save_checkpoint({"step": 3}, path)  # takes the place of what the crash left
    assert list(tmp_path.iterdir()) == [path]


WHOLE = dict.fromkeys(TRAINING_PARTS, 0)


def damages() -> Iterator[Any]:
    """What may have become of a checkpoint, each a function of its path."""
    yield pytest.param(lambda path: path.write_text("text"), id="text")
    yield pytest.param(lambda path: path.write_bytes(b""), id="empty")
    yield pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-100]), id="cut")
    yield pytest.param(lambda path: torch.save([1], path), id="a list")
    yield pytest.param(lambda path: torch.save({"state_dict": {}}, path), id="weights alone")
    yield pytest.param(lambda path: flip(path, path.stat().st_size // 2), id="one byte")


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", list(damages()))
def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Any
) -> None:
    names = ("last.ckpt", "previous.ckpt", "best.ckpt")
    for step, name in zip((3, 2, 1), names, strict=True):
        weights = torch.arange(1000.0)
        torch.save({**WHOLE, "global_step": step, "state_dict": weights}, tmp_path / name)
    for step, name in zip((3, 2, 1), names, strict=True):
        found = find_checkpoint(tmp_path)
        assert found is not None
        assert (found[0].name, found[1]["global_step"]) == (name, step)
        damage(tmp_path / name)
    with pytest.raises(InputError, match=r"last\.ckpt cannot be read \(.*put back a whole one, or"):
        find_checkpoint(tmp_path)
    assert f"Falling back to the checkpoint {tmp_path / 'best.ckpt'} of step 1" in caplog.text


def test_no_flipped_byte_changes_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save({"state_dict": torch.arange(500.0)}, path)
    content = path.read_bytes()
    noticed = 0
    for place in range(0, len(content), 29):
        path.write_bytes(content)
        flip(path, place)
        try:
            assert torch.equal(read_checkpoint(path)["state_dict"], torch.arange(500.0))
        except InputError:
            noticed += 1
    assert noticed * 29 > 500 * 4  # as many as there are bytes in numbers, at least


class KilledError(Exception):
    """What ends a run in these tests."""


class StopAt(L.Callback):
    """Ends the process' work the hard way, before a given training step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: Any, *rest: Any) -> None:
        if trainer.global_step == self.step:
            raise KilledError


class ResumableLoader:
    """Goes on behind the batch at which its state was taken, as the real loader does."""

    def __init__(self, batches: list[Any]) -> None:
        self.batches = batches
        self.given = 0
        self.skip = 0

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Any]:
        first, self.skip = self.skip, 0
        for place in range(first, len(self.batches)):
            self.given = place + 1
            yield self.batches[place]

    def state_dict(self) -> dict[str, int]:
        return {"given": self.given % len(self.batches)}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.skip = state["given"]


def callbacks(folder: Path, every: int) -> list[L.Callback]:
    return [
        EarlyStopping(monitor="val/loss", mode="min", patience=9, patience_steps=0, min_delta=0.0),
        BestCheckpoint(folder=str(folder), monitor="val/loss", mode="min"),
        LastCheckpoint(folder=str(folder), every_n_train_steps=every, keep_previous=True),
    ]


@pytest.mark.filterwarnings("ignore:Checkpoint directory", "ignore:.*mid-epoch")
@pytest.mark.parametrize(
    ("settings", "every", "stop", "resumed_at"),
    [
        ({}, 0, 7, 6),  # killed in the second epoch of 6 steps
        ({}, 0, 12, 12),  # killed between epochs
        ({"val_check_interval": 3}, 0, 10, 9),  # validation in mid-epoch
        ({"val_check_interval": 4}, 0, 11, 10),  # both
        ({}, 2, 11, 10),  # every two steps
        ({}, 6, 7, 6),  # at the last step of an epoch
        ({"accumulate_grad_batches": 2}, 0, 5, 3),
        ({"check_val_every_n_epoch": 2}, 0, 14, 12),
    ],
)
def test_resuming_equals_never_stopping(
    settings: dict[str, Any],
    every: int,
    stop: int,
    resumed_at: int,
    tiny_module: Any,
    tiny_loader: Any,
    tiny_trainer: Any,
    tmp_path: Path,
) -> None:
    settings = {"max_epochs": 3, "enable_checkpointing": True, **settings}

    def run(folder: str, *extra: L.Callback, resume: bool = False) -> Any:
        module = tiny_module()
        watchers = [*callbacks(tmp_path / folder, every), *extra]
        trainer = tiny_trainer(callbacks=watchers, plugins=[AtomicCheckpointIO()], **settings)
        module.early_stopping = watchers[0]
        last = str(tmp_path / folder / "last.ckpt")
        loader = ResumableLoader(list(tiny_loader(6)))
        with suppress(KilledError):
            trainer.fit(module, loader, tiny_loader(2), ckpt_path=last if resume else None)
        return module

    whole = run("whole")
    run("parts", StopAt(stop))
    saved = torch.load(tmp_path / "parts" / "last.ckpt", weights_only=False)
    assert saved["global_step"] == resumed_at
    resumed = run("parts", resume=True)
    batches_per_step = settings.get("accumulate_grad_batches", 1)
    assert resumed.losses == whole.losses[resumed_at * batches_per_step :]
    assert torch.equal(resumed.weight, whole.weight)
    assert resumed.early_stopping.state_dict() == whole.early_stopping.state_dict()
