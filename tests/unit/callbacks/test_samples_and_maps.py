"""Example outputs and attention maps of a run, on disk."""

import json
import logging
from pathlib import Path
from typing import Any

from tandem.callbacks import AttentionMaps, SampleTable


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


def test_maps(tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, tmp_path: Path) -> None:
    run = tiny_trainer(callbacks=[AttentionMaps(count=2, folder=str(tmp_path))])
    run.fit(tiny_module(), tiny_loader(2), tiny_loader(2))
    run.test(run.lightning_module, tiny_loader(2), verbose=False)
    assert sorted(path.name for path in (tmp_path / "attention").iterdir()) == [
        "test-0.png",
        "test-1.png",
        "val-epoch000-0.png",
        "val-epoch000-1.png",
    ]
    assert run.lightning_module.asked == [
        ([0, 1], "validation", ["wrong", "output 1"]),
        ([0, 1], "test", ["wrong", "output 1"]),
    ]


def test_no_weights_no_maps(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, tmp_path: Path, caplog: Any
) -> None:
    run = tiny_trainer(callbacks=[AttentionMaps(count=2, folder=str(tmp_path))], max_epochs=2)
    with caplog.at_level(logging.INFO, logger="tandem"):
        run.fit(tiny_module(with_weights=False), tiny_loader(2), tiny_loader(2))
    assert not (tmp_path / "attention").exists()
    assert len([record for record in caplog.records if "no weights" in record.message]) == 1
