"""A run outlives its pictures, samples and loggers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tandem.callbacks import AttentionMaps, SampleTable
from tandem.loggers import CSVLogger

Run = Callable[..., Any]


def test_a_run_outlives_what_looks_on(
    train_tiny: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = train_tiny(tmp_path / "whole", "trainer.max_epochs=2")

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("the printer is on fire")

    for cls, name in ((SampleTable, "use"), (AttentionMaps, "drawings"), (CSVLogger, "_rewrite")):
        monkeypatch.setattr(cls, name, broken)
    metrics = train_tiny(
        tmp_path / "run", "trainer.max_epochs=2", "callbacks.attention_maps.count=1"
    )
    for values in (expected, metrics):
        del values["train/tokens_per_second"]
    assert metrics == expected
    written = {path.name for path in (tmp_path / "run").iterdir()}
    assert written >= {"bundle", "run.json", "test.jsonl", "checkpoints"}
    assert not written & {"samples.jsonl", "metrics.csv"}
    lines = (tmp_path / "run" / "train.log").read_text().splitlines()
    failures = [line.partition("WARNING ")[2] for line in lines if "is switched off" in line]
    assert [line.partition(";")[0] for line in failures] == [
        "CSVLogger.log_metrics failed (OSError: the printer is on fire",
        "SampleTable.use failed (OSError: the printer is on fire",
        "AttentionMaps.use failed (OSError: the printer is on fire",
    ]
