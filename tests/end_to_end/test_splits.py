"""From one table to a trained and tested model, with shares of it and without a test split."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tandem.commands.evaluate import evaluate
from tandem.commands.train import train
from tandem.core.errors import InputError

Run = Callable[..., Any]


@pytest.fixture
def options(tmp_path: Path) -> tuple[str, ...]:
    rows = [f"{'abcd'[number % 4]} {number}\t{'wxyz'[number % 4]}\n" for number in range(40)]
    with gzip.open(tmp_path / "pairs.tsv.gz", "wt") as file:
        file.write("a\tb\n" + "".join(rows))
    return (
        *("dataset=csv", f"dataset.data_dir={tmp_path}", "dataset.train=pairs.tsv.gz"),
        *("dataset.source=a", "dataset.target=b", "dataset.validation=0.2", "tokenizer=word"),
        *("hidden_size=8", "trainer=cpu", "trainer.max_epochs=1", "logger=csv", "callbacks=none"),
        f"run.folder={tmp_path / 'run'}",
    )


def test_shares_of_one_table(
    compose_command: Run,
    options: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    metrics = train(compose_command("train", *options, "dataset.test=0.1"))
    log = (tmp_path / "run" / "train.log").read_text()
    assert "Split pairs.tsv.gz by dataset.seed=0: train 28, test 4, validation 8" in log
    again = evaluate(compose_command("evaluate", f"run={tmp_path / 'run'}", "split=test"))
    assert again["test/loss"] == pytest.approx(metrics["test/loss"], rel=1e-5)
    assert "not what the run began with" not in capsys.readouterr().err
    with gzip.open(tmp_path / "pairs.tsv.gz", "at") as file:
        file.write("".join(f"new {number}\tz\n" for number in range(10)))
    evaluate(compose_command("evaluate", f"run={tmp_path / 'run'}", "split=test"))
    change = "the test split had 4 examples and has 5 now"
    assert f"The data has changed since this run was trained: {change}" in capsys.readouterr().err


@pytest.mark.parametrize("without", ["test=false", "dataset.test=null", "dataset.test=auto"])
def test_without_a_test_split(
    compose_command: Run, options: tuple[str, ...], tmp_path: Path, without: str
) -> None:
    with pytest.raises(InputError, match=r"test\.csv of the test split does not exist \("):
        train(compose_command("train", *options, "dataset.test=test.csv"))
    metrics = train(compose_command("train", *options, without))
    assert "val/loss" in metrics
    assert not [name for name in metrics if name.startswith("test/")]
    with pytest.raises(InputError, match="must be one of train, validation, but is 'test'"):
        evaluate(compose_command("evaluate", f"run={tmp_path / 'run'}", "split=test"))
