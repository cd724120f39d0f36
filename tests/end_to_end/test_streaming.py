"""data.streaming=true from the command's config to a bundle and its evaluation."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tandem.commands.evaluate import evaluate
from tandem.commands.train import train
from tandem.core.errors import InputError
from tandem.inference.bundle import load_bundle

Run = Callable[..., Any]


@pytest.fixture
def options(tmp_path: Path) -> tuple[str, ...]:
    """A tiny streamed run over three files of JSON Lines."""
    for name, count in (("train-1", 20), ("train-2", 10), ("dev", 4)):
        lines = [json.dumps({"a": "a b"[: 1 + row % 3], "b": "c d"}) for row in range(count)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    return (
        "dataset=json",
        f"dataset.data_dir={tmp_path}",
        "dataset.train=train-*.jsonl",
        "dataset.validation=dev.jsonl",
        "dataset.test=dev.jsonl",
        "dataset.source=a",
        "dataset.target=b",
        "data.streaming=true",
        "stream.buffer_size=12",
        "stream.sample_size=14",
        "max_length=6",
        "tokenizer=char",
        "hidden_size=8",
        "batching.max_sentences=4",
        "trainer=cpu",
        "trainer.max_epochs=2",
        "logger=csv",
        "callbacks.attention_maps.count=0",
        f"run.folder={tmp_path / 'run'}",
    )


def test_a_stream_trains_and_is_evaluated(
    compose_command: Run, read_metrics: Run, options: tuple[str, ...], tmp_path: Path
) -> None:
    train(compose_command("train", *options, "trainer.log_every_n_steps=1"))
    folder = tmp_path / "run"
    steps = [row["step"] for row in read_metrics(folder) if row["train/loss"]]
    assert len(steps) == 16  # 12, 12 and 6 pairs in batches of four, twice
    log = (folder / "train.log").read_text()
    assert "Data: train a stream of 2 shards, validation 4, test 4;" in log
    assert "Epoch 1 of the stream: 30 pairs; left out 0 of them for length" in log
    bundle = load_bundle(folder)
    assert bundle.max_length == 6
    scores = evaluate(compose_command("evaluate", f"run={folder}", "split=validation"))
    assert "val/bleu" in scores
    with pytest.raises(InputError, match="must be one of validation, test, but is 'train'"):
        evaluate(compose_command("evaluate", f"run={folder}", "split=train"))


def test_a_bad_line_stops_training(
    compose_command: Run, options: tuple[str, ...], tmp_path: Path
) -> None:
    with (tmp_path / "train-2.jsonl").open("a") as file:
        file.write("\n{")
    with pytest.raises(InputError, match=r"train-2\.jsonl line 11 is not JSON"):
        train(compose_command("train", *options))
    skipping = ("data.on_bad_example=skip", f"run.folder={tmp_path / 'skipping'}")
    assert train(compose_command("train", *options, *skipping))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "max_length=null",
            "data.streaming=true needs max_length=..., the most symbols of an output, as the "
            "longest target of a stream is not known before its end.",
        ),
        (
            "trainer.val_check_interval=0.5",
            "trainer.val_check_interval=0.5 is a share of an epoch, but how many batches a stream "
            "has is not known before its end; give a whole number of batches.",
        ),
        (
            "trainer.limit_train_batches=0.5",
            "trainer.limit_train_batches=0.5 is a share of an epoch, but how many batches a stream "
            "has is not known before its end; give a whole number of batches.",
        ),
    ],
)
def test_what_needs_the_end_of_a_stream(
    compose_command: Run, options: tuple[str, ...], override: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        train(compose_command("train", *options, override))
    assert str(caught.value) == message


def test_overfitting_a_stream_holds_its_first_pairs(
    compose_command: Run, options: tuple[str, ...], tmp_path: Path
) -> None:
    train(compose_command("train", *options, "data.overfit=6"))
    log = (tmp_path / "run" / "train.log").read_text()
    assert "Data: train 6, validation 6, test 6;" in log
