"""Example outputs and attention maps of a run, on disk."""

import json
import logging
import time
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import lightning as L
import numpy as np
import pytest

from tandem.callbacks import (
    AttentionMaps,
    LastCheckpoint,
    OutputFile,
    SampleTable,
    TrainingTime,
    guard_onlooker,
)
from tandem.callbacks.attention_maps import reader_drawing
from tandem.callbacks.onlooker import RowsOnlooker
from tandem.core.types import Evaluated
from tandem.data.readers import Preview, SourceReader
from tandem.loggers.wandb_logger import table
from tandem.models import Seq2Seq


def test_samples(tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, tmp_path: Path) -> None:
    run = tiny_trainer(callbacks=[SampleTable(count=3, folder=str(tmp_path))], max_epochs=2)
    run.fit(tiny_module(), tiny_loader(4), tiny_loader(4))
    run.test(run.lightning_module, tiny_loader(4), verbose=False)
    lines = [json.loads(line) for line in (tmp_path / "samples.jsonl").read_text().splitlines()]
    assert [(line["split"], line["epoch"], line["step"], line["index"]) for line in lines] == [
        *[("validation", 0, 4, index) for index in range(3)],
        *[("validation", 1, 8, index) for index in range(3)],
        *[("test", 2, 8, index) for index in range(3)],
    ]
    assert lines[1] | {"epoch": 0} == {
        "split": "validation",
        "epoch": 0,
        "step": 4,
        "index": 1,
        "source": "source 1",
        "hypothesis": "output 1",
        "references": ["output 1"],
    }


def test_outputs(tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, tmp_path: Path) -> None:
    run = tiny_trainer(callbacks=[OutputFile(folder=str(tmp_path))])
    run.fit(tiny_module(), tiny_loader(2), tiny_loader(2))
    assert not (tmp_path / "test.jsonl").exists()
    run.test(run.lightning_module, tiny_loader(2), verbose=False)
    lines = [json.loads(line) for line in (tmp_path / "test.jsonl").read_text().splitlines()]
    assert len(lines) == 4
    assert lines[0] == {
        "source": "source 0",
        "references": ["output 0"],
        "hypothesis": "wrong",
    }


class KilledError(Exception):
    """What ends a run in these tests."""


class StopAt(L.Callback):
    """Ends the process' work the hard way, before a given training step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: Any, *rest: Any) -> None:
        if trainer.global_step == self.step:
            raise KilledError


@pytest.mark.parametrize("keep", [0, 2])
def test_a_resumed_run_has_the_samples_of_one_that_never_stopped(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, tmp_path: Path, keep: int
) -> None:
    """Killed in the third epoch, behind its validation at half, with a checkpoint from before."""

    def run(name: str, stop: int, resume_from: Path | None = None) -> Path:
        folder = tmp_path / name
        watchers = [
            SampleTable(count=2, folder=str(folder)),
            StopAt(stop),
            LastCheckpoint(folder=str(folder), every_n_train_steps=0, keep_previous=False),
        ]
        run = tiny_trainer(callbacks=watchers, max_epochs=3, enable_checkpointing=True)
        run.fit(tiny_module(), tiny_loader(4), tiny_loader(2), ckpt_path=resume_from)
        return folder / "samples.jsonl"

    whole = run("whole", stop=99).read_text()
    with pytest.raises(KilledError):
        run("parts", stop=5)  # the last checkpoint is the first epoch's
    parts = tmp_path / "parts" / "samples.jsonl"
    with parts.open("a") as file:
        file.write(whole.splitlines(keepends=True)[2] * keep + "{cut")
    assert run("parts", stop=99, resume_from=tmp_path / "parts" / "last.ckpt").read_text() == whole


def test_resuming_where_the_file_is_gone(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, tmp_path: Path
) -> None:
    samples = SampleTable(count=2, folder=str(tmp_path))
    samples.load_state_dict({"size": 1000})
    run = tiny_trainer(callbacks=[samples], max_epochs=2)
    run.fit(tiny_module(), tiny_loader(2), tiny_loader(2))
    assert len((tmp_path / "samples.jsonl").read_text().splitlines()) == 4
    assert samples.state_dict() == {"size": (tmp_path / "samples.jsonl").stat().st_size}


def test_table_with_and_without_media() -> None:
    rows = Evaluated([3, 5], ["a", "b"], ["x", "y"], [["x", "z"], ["y"]])
    assert table(rows) == (
        ["index", "source", "hypothesis", "reference"],
        [[3, "a", "x", "x\nz"], [5, "b", "y", "y"]],
    )
    assert table(rows, ["first", "second"]) == (
        ["index", "media", "source", "hypothesis", "reference"],
        [[3, "first", "a", "x", "x\nz"], [5, "second", "b", "y", "y"]],
    )


@pytest.mark.parametrize(("minutes", "drawn_in_training"), [(None, 0), (10, 0), (0, 2)])
def test_maps(
    minutes: int | None,
    drawn_in_training: int,
    tiny_module: Any,
    tiny_loader: Any,
    tiny_trainer: Any,
    tmp_path: Path,
) -> None:
    """Of the last validation and of the test; in between only when it is time."""
    maps = AttentionMaps(count=2, every_n_minutes=minutes, folder=str(tmp_path))
    run = tiny_trainer(callbacks=[maps], max_epochs=2)
    run.fit(tiny_module(), tiny_loader(2), tiny_loader(2))
    module = run.lightning_module
    assert len(module.asked) == drawn_in_training
    run.validate(module, tiny_loader(2), verbose=False)
    run.test(module, tiny_loader(2), verbose=False)
    assert sorted(path.name for path in (tmp_path / "attention").iterdir()) == [
        "test-0.png",
        "test-1.png",
        "val-0.png",
        "val-1.png",
    ]
    assert module.asked[drawn_in_training:] == [
        ([0, 1], "validation", ["wrong", "output 1"]),
        ([0, 1], "test", ["wrong", "output 1"]),
    ]


def test_no_weights_no_maps(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, tmp_path: Path, caplog: Any
) -> None:
    maps = AttentionMaps(count=2, every_n_minutes=0, folder=str(tmp_path))
    run = tiny_trainer(callbacks=[maps], max_epochs=2)
    with caplog.at_level(logging.INFO, logger="tandem"):
        run.fit(tiny_module(with_weights=False), tiny_loader(2), tiny_loader(2))
    assert not (tmp_path / "attention").exists()
    assert len([record for record in caplog.records if "no weights" in record.message]) == 1


class SlowOnlooker(RowsOnlooker):
    """Takes a thousand seconds to show an epoch's rows."""

    def use(self, *_: Any) -> None:
        time.monotonic.seconds += 1000  # type: ignore[attr-defined]


def test_showing_rows_is_no_training_time(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def now() -> float:
        now.seconds += 0.001  # type: ignore[attr-defined]
        return now.seconds  # type: ignore[attr-defined,no-any-return]

    now.seconds = 0.0  # type: ignore[attr-defined]
    monkeypatch.setattr(time, "monotonic", now)
    clock = TrainingTime()
    run = tiny_trainer(callbacks=[clock, guard_onlooker(SlowOnlooker(count=2))], max_epochs=3)
    run.fit(tiny_module(), tiny_loader(2), tiny_loader(2))
    run.test(run.lightning_module, tiny_loader(2), verbose=False)
    assert now.seconds > 4000  # type: ignore[attr-defined]
    assert 0 < clock.seconds < 1


@pytest.mark.parametrize("media", ["image", "audio", "series", "text"])
def test_what_is_drawn_of_a_source(media: str) -> None:
    """Pictures and sound as they are, and of all else weights over positions."""
    positions = np.arange(12, dtype=np.uint8).reshape(4, 3)
    reader: Any = Mock(spec=SourceReader, media=media, seconds_per_vector=0.5)
    reader.preview.return_value = Preview(positions, 2.0)
    reader.labels.return_value = ["a", "b", "c", "d"] if media == "text" else None
    model: Any = Mock(spec=Seq2Seq)
    model.grid.return_value = (2, 1)
    for width in (2,) if media == "image" else (4, 2):
        drawing = reader_drawing(reader, model, positions, ["x"], np.full((1, width), 1 / width))
        assert drawing is not None
        axes = drawing("title").axes
        if media in ("series", "text"):
            labels = [label.get_text() for label in axes[0].get_xticklabels()]
            whole = media == "text" and width == 4  # a frontend may change the length
            assert labels == (list("abcd") if whole else ["1", "2", "3", "4"][:width])
        else:
            assert reader.preview.called
