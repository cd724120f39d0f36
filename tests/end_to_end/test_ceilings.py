"""A model that makes no mistake scores what its run called the ceiling, by every metric."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig

from tandem.commands import evaluate as evaluation
from tandem.commands.train import train
from tandem.config.catalogue import config_groups
from tandem.core.types import Batch, Hypothesis
from tandem.inference.bundle import Bundle

Compose = Callable[..., DictConfig]
METRICS = config_groups()["metric"]
TRAINING = ["un deux !", "Un trois quatre cinq !", "le chat dort ici", "le chien dort sur le lit"]
TEST = ["un deux\u00a0!", "Le chat  dort sur le lit", "le cheval dort ici", "un deux trois quatre"]


@pytest.fixture
def without_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let evaluation search in the targets themselves."""

    def search(bundle: Bundle, memories: list[Batch]) -> list[list[Hypothesis]]:
        return [[Hypothesis(ids, 0.0)] for ids in memories[0].target_out.tolist()]

    monkeypatch.setattr(evaluation, "encode", lambda model, batch: batch)
    monkeypatch.setattr(evaluation.TeacherForcedTotals, "add", lambda *batch: None)
    monkeypatch.setattr(evaluation.TeacherForcedTotals, "means", lambda *split: {})
    monkeypatch.setattr(Bundle, "search_memories", search)


def write_pairs(folder: Path) -> None:
    """Files side by side, whose sources are their targets."""
    for split, texts in (("train", TRAINING * 2), ("validation", TRAINING), ("test", TEST)):
        for side in ("source", "target"):
            (folder / f"{split}.{side}").write_text("".join(f"{text}\n" for text in texts))


@pytest.mark.parametrize(
    ("tokenizer", "limited"),
    [
        (["tokenizer=word"], True),
        (["tokenizer=char", "tokenizer.lowercase=true"], True),
        (["tokenizer=byte"], False),
    ],
    ids=["word", "char in small letters", "byte"],
)
@pytest.mark.usefixtures("without_mistakes")
def test_a_model_without_mistakes_scores_the_ceiling(
    compose_config: Compose,
    tmp_path: Path,
    tokenizer: list[str],
    limited: bool,
) -> None:
    write_pairs(tmp_path)
    data = ["dataset=parallel", f"dataset.data_dir={tmp_path}", "dataset.source=source"]
    options = [*data, "dataset.target=target", *tokenizer, f"metric=[{','.join(METRICS)}]"]
    small = ["hidden_size=8", "trainer=cpu", "trainer.max_epochs=1", "logger=csv", "callbacks=none"]
    run = tmp_path / "run"
    train(compose_config("train", *options, *small, f"run.folder={run}"))
    metrics = evaluation.evaluate(compose_config("evaluate", f"run={run}", "accelerator=cpu"))
    (path,) = run.glob("evaluations/*/metrics.json")
    evaluated = json.loads(path.read_text())["references"]["test"]
    trained = json.loads((run / "run.json").read_text())["references"]
    assert evaluated == trained["test"]
    ceilings: dict[str, Any] = evaluated.get("ceilings", {})
    assert {name: metrics[name] for name in ceilings} == pytest.approx(ceilings)
    for name in metrics.keys() - ceilings.keys() - {"test/cider"}:
        assert metrics[name] == pytest.approx(100 if metrics[name] > 50 else 0)
    assert bool(ceilings) == limited
    log = (run / "train.log").read_text(encoding="utf-8")
    assert log.count("The target tokenizer cannot write") == limited
    if limited:
        assert {"test/exact_match", "test/wer", "test/cer", "test/bleu"} <= ceilings.keys()
