"""A language model trains on the targets of a set, writes on from prompts and scores texts."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig

from tandem.commands.evaluate import evaluate
from tandem.commands.generate import generate
from tandem.commands.score import score
from tandem.commands.train import train
from tandem.core.errors import InputError

Compose = Callable[..., DictConfig]
TEXTS = [*["a b c d"] * 12, *["b c d"] * 6]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, compose_config: Compose) -> Path:
    folder = tmp_path_factory.mktemp("language_model")
    (folder / "train.txt").write_text("".join(f"{text}\n" for text in TEXTS))
    (folder / "dev.txt").write_text("a b c d\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANDEM_CACHE", str(folder / "cache"))
        metrics = train(
            compose_config(
                "train",
                "task=language_model",
                "dataset=text",
                f"dataset.data_dir={folder}",
                "tokenizer=word",
                "hidden_size=16",
                "dropout=0",
                "objective.smoothing=0",
                "optimizer.lr=0.02",
                "trainer.max_epochs=25",
                "trainer.check_val_every_n_epoch=25",
                "callbacks=[best]",
                "logger=none",
                f"run.folder={folder}/run",
            )
        )
    assert metrics["val/perplexity"] < 1.5
    return folder / "run"


def lines(path: Path, *texts: str) -> Path:
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


def test_outputs_go_on_from_prompts(run: Path, compose_config: Compose, tmp_path: Path) -> None:
    prompts, output = lines(tmp_path / "in.txt", "a b", ""), tmp_path / "out.txt"
    options = (f"run={run}", f"input={prompts}", f"output={output}")
    generate(compose_config("generate", *options, "search=greedy"))
    assert output.read_text().splitlines() == ["a b c d", "a b c d"]
    long = lines(tmp_path / "long.txt", "a " * 30)
    with pytest.raises(InputError, match=r"^A prompt has 30 symbols, but an output has at most"):
        generate(compose_config("generate", f"run={run}", f"input={long}"))


def test_texts_are_scored_without_sources(
    run: Path, compose_config: Compose, tmp_path: Path
) -> None:
    texts, output = lines(tmp_path / "t.txt", "a b c d", "d a", ""), tmp_path / "out.jsonl"
    score(compose_config("score", f"run={run}", f"target={texts}", f"output={output}"))
    likely, unlikely, empty = (json.loads(line) for line in output.read_text().splitlines())
    assert -1 < likely["log_prob"] < 0
    assert likely["symbols"] == 5
    assert unlikely["log_prob"] < -5 > empty["log_prob"]
    with pytest.raises(InputError, match=r"would not be read, as a language model"):
        score(compose_config("score", f"run={run}", f"source={texts}", f"target={texts}"))


def test_it_is_evaluated(run: Path, compose_config: Compose) -> None:
    metrics = evaluate(compose_config("evaluate", f"run={run}", "split=validation"))
    assert metrics["val/perplexity"] < 1.5
