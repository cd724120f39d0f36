"""Attention maps: weights in one batch, pictures in a thread, and who gets them when."""

import logging
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import lightning as L
import numpy as np
import pytest
import torch

from tandem.callbacks import AttentionMaps, guard_onlooker
from tandem.callbacks.attention_maps import attention_drawings
from tandem.core.types import Evaluated
from tandem.loggers import CSVLogger, ReadMedia


class PictureLogger(CSVLogger):
    """Remembers which pictures it got, and whether each was there."""

    def __init__(self, *, folder: str) -> None:
        super().__init__(folder=folder)
        self.pictures: list[tuple[str, int]] = []

    def log_picture(self, key: str, path: Path, step: int) -> None:
        assert path.read_bytes().startswith(b"\x89PNG")
        self.pictures.append((key, step))

    def log_samples(self, key: str, rows: Evaluated, media: ReadMedia, step: int) -> None:
        """Take nothing."""


@pytest.fixture
def run(tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, tmp_path: Path) -> Any:
    """Train for two epochs and draw each validation; returns the logger."""

    def run(*watchers: L.Callback) -> PictureLogger:
        maps = guard_onlooker(AttentionMaps(count=2, every_n_minutes=0, folder=str(tmp_path)))
        logger = PictureLogger(folder=str(tmp_path))
        trainer = tiny_trainer(callbacks=[maps, *watchers], logger=[logger], max_epochs=2)
        trainer.fit(tiny_module(), tiny_loader(4), tiny_loader(4))
        return logger

    return run


def drawn_by(monkeypatch: pytest.MonkeyPatch, before: Any) -> None:
    """Let something happen before a picture is drawn."""
    from tandem.callbacks import attention_maps

    draw = attention_maps.write_picture

    def slow(*args: Any) -> None:
        before()
        draw(*args)

    monkeypatch.setattr(attention_maps, "write_picture", slow)


EACH_VALIDATION = [(f"attention/val-{row}", step) for step in (4, 8) for row in range(2)]


class ShownAt(L.Callback):
    """Notes how many pictures were shown when each training step began."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def on_train_batch_start(self, trainer: Any, *rest: Any) -> None:
        self.counts.append(len(trainer.loggers[0].pictures))


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_a_thread_draws_and_loggers_get_the_step_that_a_picture_shows(
    run: Any, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """In order; a validation that is drawn first waits for the pictures of the one before."""
    threads = []

    def note() -> None:
        threads.append(threading.current_thread())
        time.sleep(seconds)

    drawn_by(monkeypatch, note)
    shown = ShownAt()
    assert run(shown).pictures == EACH_VALIDATION
    assert len(threads) == 4
    assert threading.main_thread() not in threads
    assert not any(thread.is_alive() for thread in threads)
    assert shown.counts[:5] == [0] * 5  # training goes on before there is a picture


class StoppedError(Exception):
    """What ends a run in these tests."""


class StopAt(L.Callback):
    """Ends training behind its first validation."""

    def on_train_batch_start(self, trainer: Any, *rest: Any) -> None:
        if trainer.global_step == 4:
            raise StoppedError


def test_a_run_that_is_stopped_keeps_what_was_to_be_drawn(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn_by(monkeypatch, lambda: time.sleep(0.2))
    with pytest.raises(StoppedError):
        run(StopAt())
    assert sorted(path.name for path in (tmp_path / "attention").iterdir()) == [
        "val-0.png",
        "val-1.png",
    ]


def test_what_fails_in_the_thread_ends_the_maps_alone(
    run: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any, tmp_path: Path
) -> None:
    def fail() -> None:
        raise OSError("No space left on device")

    drawn_by(monkeypatch, fail)
    with caplog.at_level(logging.WARNING, logger="tandem"):
        assert run().pictures == []
    (message,) = caplog.messages
    assert message.startswith("AttentionMaps.")
    assert "No space left on device" in message
    assert "attention_maps" not in {thread.name[:14] for thread in threading.enumerate()}


def test_weights_come_in_one_batch_and_are_those_of_each_row(small_model: Any) -> None:
    model = small_model(vocabulary=7, seed=0).eval()
    encode = model.encode = Mock(side_effect=model.encode)
    reader = Mock(media="text")
    reader.labels.side_effect = lambda ids: [str(id_) for id_ in ids]
    writer = SimpleNamespace(
        encode_batch=lambda texts: [[int(id_) for id_ in text.split()] for text in texts],
        tokens=lambda ids: [str(id_) for id_ in ids],
    )

    module: Any = SimpleNamespace(
        model=model,
        device=torch.device("cpu"),
        processors=SimpleNamespace(source=reader, target=writer),
    )
    source = torch.tensor([[4, 5, 6, 2], [6, 2, 0, 0], [5, 5, 2, 0]])
    mask, targets = source != 0, ["4 5", "6 6 4 5", ""]
    together = attention_drawings(module, source, mask, targets)
    assert encode.call_count == 1
    for row, drawing in enumerate(together):
        length = int(mask[row].sum())
        part = slice(row, row + 1)
        (alone,) = attention_drawings(
            module, source[part, :length], mask[part, :length], [targets[row]]
        )
        (picture,), (expected,) = drawing.args, alone.args  # type: ignore[union-attr]
        assert (
            picture.source_tokens
            == expected.source_tokens
            == [str(int(i)) for i in source[row] if i]
        )
        assert picture.target_tokens == expected.target_tokens == [*targets[row].split(), "2"]
        np.testing.assert_allclose(picture.weights, expected.weights, atol=1e-6)
