"""A run goes on with the data and the tokenizers that it began with, or not at all."""

import functools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset
from PIL import Image

from tandem.commands.train import train
from tandem.config.build import build_data
from tandem.core.errors import InputError
from tandem.data.run_data import check_data, keep_data
from tandem.data.tokenizers import WordTokenizer

Run = Callable[..., Any]

REMEDY = "Put back what was there, or train on the new data in another run.folder."
OPTIONS = ("dataset.source=a", "dataset.target=b", "tokenizer=word", "max_length=6")
STREAM = ("data.streaming=true", "dataset.train=train*")


def write_text(folder: Path) -> None:
    for name, count in (("train", 20), ("train2", 20), ("validation", 4), ("test", 4)):
        for side in "ab":
            lines = [f"{side} {'xyz'[row % 3]} {side}\n" for row in range(count)]
            (folder / f"{name}.{side}").write_text("".join(lines))


def write_pictures(folder: Path) -> None:
    for split in ("train", "validation", "test"):
        (folder / split).mkdir()
        lines = ["file_name,caption\n"]
        for number in range(3):
            pixels = np.full((8, 8), 40 * number, np.uint8)
            Image.fromarray(pixels).save(folder / split / f"{number}.png")
            lines.append(f"{number}.png,picture {number}\n")
        (folder / split / "metadata.csv").write_text("".join(lines))


def write_parquet(folder: Path) -> None:
    for name in ("train-0", "train-1", "validation-0", "test-0"):
        Dataset.from_dict({"a": ["x y"] * 3, "b": ["z"] * 3}).to_parquet(folder / f"{name}.parquet")


@pytest.fixture(scope="module")
def composed(compose_config: Run) -> Run:
    """Compose a config once for all tests, as this takes longer than the rest."""
    return functools.cache(lambda options: compose_config("train", *options))


PARALLEL = (write_text, ("dataset=parallel", *OPTIONS))
SHARDS = (write_text, ("dataset=parallel", *OPTIONS, *STREAM))
PICTURES = (
    write_pictures,
    ("dataset=imagefolder", "features.image_height=8", "features.image_width=8"),
)
HUB = (write_parquet, ("dataset=hub", *OPTIONS, "data.streaming=true"))


def append(folder: Path, name: str, text: str) -> None:
    with (folder / name).open("a") as file:
        file.write(text)


def edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    path.write_text(path.read_text().replace(old, new, 1))


def append_pairs(folder: Path) -> None:
    for side in "ab":
        append(folder, f"train.{side}", "x y\n" * 4)


def cut_shard(folder: Path) -> None:
    for side in "ab":
        os.truncate(folder / f"train2.{side}", 6 * 7)


def delete_shard(folder: Path) -> None:
    for side in "ab":
        (folder / f"train2.{side}").unlink()


def add_shard(folder: Path) -> None:
    for side in "ab":
        shutil.copy(folder / f"train.{side}", folder / f"train3.{side}")


def repaint(folder: Path) -> None:
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(folder / "train" / "1.png")


def touch(folder: Path) -> None:
    for path in folder.rglob("*.*"):
        os.utime(path, (1, 1))


def swap_parquet(folder: Path) -> None:
    Dataset.from_dict({"a": ["v w x y"], "b": ["z"]}).to_parquet(folder / "train-1.parquet")


@pytest.mark.parametrize(
    ("written", "change", "found"),
    [
        (PARALLEL, append_pairs, "the train split had 20 examples and has 24 now"),
        (
            PARALLEL,
            lambda folder: edit(folder, "validation.a", "y", "z"),
            "the validation split has 4 examples as before, but not the same source",
        ),
        (
            PARALLEL,
            lambda folder: edit(folder, "test.b", "y", "unknown"),
            "the test split has 4 examples as before, but not the same target",
        ),
        (PARALLEL, touch, ""),
        (SHARDS, append_pairs, "the shard {}/train.a had 120 bytes and has 136 now; the shard "),
        (SHARDS, cut_shard, "the shard {}/train2.a had 120 bytes and has 42 now; the shard "),
        (SHARDS, delete_shard, "the shard {}/train2.a is gone; the shard {}/train2.b is gone"),
        (SHARDS, add_shard, "there is a new shard {}/train3.a; there is a new shard {}/train3.b"),
        (
            SHARDS,
            lambda folder: edit(folder, "train2.a", "y", "z"),
            "the shard {}/train2.a has 120 bytes as before, but not the same content",
        ),
        (SHARDS, touch, ""),
        (PICTURES, repaint, "the train split has 3 examples as before, but not the same source"),
        (
            PICTURES,
            lambda folder: edit(folder, "test/metadata.csv", "picture 1", "picture 2"),
            "the test split has 3 examples as before, but not the same target",
        ),
        (PICTURES, touch, ""),
        (HUB, swap_parquet, "the shard {}/train-1.parquet had "),
        (HUB, touch, ""),
    ],
)
def test_what_has_changed_is_named(
    composed: Run, tmp_path: Path, written: Any, change: Run, found: str
) -> None:
    folder, (write, options) = tmp_path / "data", written
    folder.mkdir()
    write(folder)
    cfg = composed(options).copy()
    cfg.dataset["path" if "dataset=hub" in options else "data_dir"] = str(folder)

    def prepared() -> Any:
        data = build_data(cfg)
        data.prepare()
        return data

    keep_data(tmp_path, prepared())
    change(folder)
    data = prepared()
    if not found:
        check_data(tmp_path, data)
        return
    with pytest.raises(InputError) as caught:
        check_data(tmp_path, data)
    assert str(caught.value).endswith(f". {REMEDY}")
    before = "The data has changed since this run began, so it cannot go on: "
    assert str(caught.value).startswith(before + found.format(folder, folder))


def test_a_new_split_is_no_change(compose_command: Run, tmp_path: Path) -> None:
    options = ("dataset=reverse", "dataset.size=20")
    data = build_data(compose_command("train", *options))
    data.prepare()
    keep_data(tmp_path, data)
    record = json.loads((tmp_path / "data.json").read_text())
    del record["splits"]["test"]
    (tmp_path / "data.json").write_text(json.dumps(record))
    check_data(tmp_path, data)
    for text in ("[", "[]", "{}", '{"splits": {"a": 1}, "shards": {}, "tokenizers": {}}'):
        (tmp_path / "data.json").write_text(text)
        with pytest.raises(InputError, match=r"data\.json says what data the run began with, but "):
            check_data(tmp_path, data)
    (tmp_path / "data.json").unlink()
    check_data(tmp_path, data)


def test_a_run_goes_on_with_its_tokenizers_and_not_with_other_data(
    compose_command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(tmp_path)
    run = tmp_path / "run"
    options = (
        *("dataset=parallel", *OPTIONS, f"dataset.data_dir={tmp_path}", f"run.folder={run}"),
        *("tokenizer.shared=false", "trainer=cpu", "hidden_size=8", "logger=none"),
        *("callbacks=last", "trainer.max_epochs=1"),
    )
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path / "cache"))
    train(compose_command("train", *options))
    assert sorted(path.name for path in (run / "tokenizers").iterdir()) == [
        "source.json",
        "target.json",
    ]
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path / "another_cache"))
    monkeypatch.setattr(WordTokenizer, "train", lambda *_: pytest.fail("learnt again"))
    more = (*options, "resume=true", "trainer.max_epochs=2")
    train(compose_command("train", *more))
    append_pairs(tmp_path)
    before = (run / "checkpoints" / "last.ckpt").read_bytes()
    with pytest.raises(InputError, match="the train split had 20 examples and has 24 now"):
        train(compose_command("train", *more))
    assert (run / "checkpoints" / "last.ckpt").read_bytes() == before
