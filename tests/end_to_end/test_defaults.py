"""Sets of a user's own, trained without a word about training."""

import csv
import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig

from tandem.commands.train import train

Compose = Callable[..., DictConfig]

NUMBERS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf"}
QUIET = ("trainer=cpu", "logger=csv", "callbacks.attention_maps.count=0")


def write_table(folder: Path, words: int) -> None:
    """All texts of so many numbers, in two languages: four fifths to train on."""
    texts = list(itertools.product(NUMBERS, repeat=words))
    random.Random(0).shuffle(texts)
    tenth = len(texts) // 10
    splits = {"test": texts[:tenth], "validation": texts[tenth : 2 * tenth]}
    for name, rows in {**splits, "train": texts[2 * tenth :]}.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["english", "german"])
            writer.writerows(
                (" ".join(row), " ".join(NUMBERS[word] for word in row)) for row in rows
            )


@pytest.fixture
def train_on_table(compose_config: Compose, tmp_path: Path) -> Callable[..., Any]:
    """Train on tables of texts of so many words, with overrides; return metrics and record."""

    def run(words: int, *overrides: str) -> Any:
        write_table(tmp_path, words)
        columns = ("dataset.source=english", "dataset.target=german")
        folder = tmp_path / "run"
        cfg = compose_config(
            "train",
            "dataset=csv",
            f"dataset.data_dir={tmp_path}",
            *columns,
            f"run.folder={folder}",
            *QUIET,
            *overrides,
        )
        return train(cfg), json.loads((folder / "run.json").read_text())

    return run


def test_defaults_learn_a_hundred_pairs(train_on_table: Any) -> None:
    """Only the end is nearer than by default, for time's sake."""
    metrics, record = train_on_table(3, "trainer.max_steps=120")
    assert metrics["test/chrf"] > 90
    assert (record["why"], record["steps"]) == ("trainer.max_steps=120 reached", 120)
    assert record["monitor"]["name"] == "val/chrf"  # no reference has four words, as BLEU wants
    assert record["monitor"]["decided_by"] == "val/chrf"
