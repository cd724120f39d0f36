"""``tandem evaluate`` with several runs, and with sampled outputs ranked by risk."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tandem.commands.evaluate import evaluate
from tandem.core.errors import InputError

Compose = Callable[..., Any]


def test_twice_the_same_model_decides_as_once(
    compose_command: Compose, copied_run: Path, finished_run: Path
) -> None:
    alone = json.loads((finished_run / "run.json").read_text())["metrics"]
    both = compose_command("evaluate", f"run=[{copied_run},{finished_run}]")
    metrics = evaluate(both)
    expected = {name: alone[name] for name in ("test/exact_match", "test/chrf")}
    assert metrics == pytest.approx(expected)
    assert len(list((copied_run / "evaluations").iterdir())) == 1
    assert not (finished_run / "evaluations").exists()


def test_samples_ranked_by_risk(compose_command: Compose, copied_run: Path) -> None:
    options = ("search=sampling", "search.num_samples=4", "metric@mbr=chrf")
    metrics = evaluate(compose_command("evaluate", f"run={copied_run}", *options))
    assert metrics["test/chrf"] > 0


def test_both_runs_must_be_there(
    compose_command: Compose, finished_run: Path, tmp_path: Path
) -> None:
    cfg = compose_command("evaluate", f"run=[{finished_run},{tmp_path}]")
    with pytest.raises(InputError, match=f"^There is no bundle in {tmp_path}"):
        evaluate(cfg)
