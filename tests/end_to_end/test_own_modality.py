"""A modality of one's own is one class of features and one frontend, and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tandem.commands.generate import generate
from tandem.commands.train import train
from tandem.core.errors import InputError
from tandem.inference.bundle import load_bundle

Compose = Callable[..., Any]

CODE = '''
"""Small time series in .csv files: a line for each moment, a number for each sensor."""

from pathlib import Path

import numpy as np
from datasets import Dataset, DatasetDict
from torch import nn

from tandem.core.errors import InputError
from tandem.data.features import Features
from tandem.frontends import Frontend


class SeriesFeatures(Features):
    media = "series"

    def __init__(self, *, sensors):
        self.width = sensors

    def __call__(self, file, place, copy=0):
        try:
            values = np.loadtxt(file["path"], np.float32, delimiter=",", ndmin=2)
        except (OSError, ValueError) as error:
            raise InputError(f"The series {place} cannot be read ({error}); correct it.") from error
        return values.reshape(-1, self.width)


class SeriesFrontend(Frontend):
    media, table = "series", None

    def __init__(self, *, source_size, embedding_size):
        super().__init__()
        self.project = nn.Linear(source_size, embedding_size)
        self.output_size = embedding_size

    def forward(self, source, source_mask):
        return self.project(source), source_mask


def series(*, folder):
    """Rising, falling and level series."""
    names, splits = ("up", "down", "level"), {}
    for split, size in (("train", 9), ("validation", 3), ("test", 3)):
        paths = [Path(folder) / f"{split}-{place}.csv" for place in range(size)]
        for place, path in enumerate(paths):
            steps = np.arange(4 + place)[:, None] * (1, -1, 0)[place % 3]
            np.savetxt(path, np.hstack((steps, steps + 1)), delimiter=",")
        splits[split] = Dataset.from_dict(
            {
                "source": [{"path": str(path), "bytes": None} for path in paths],
                "target": [names[place % 3] for place in range(size)],
            }
        )
    return DatasetDict(splits)
'''
CONF = {
    "features": """
_target_: tandem_test_series.SeriesFeatures
sensors: 2
""",
    "frontend": """
_target_: tandem_test_series.SeriesFrontend
_partial_: true
embedding_size: ${embedding_size}
""",
    "dataset": """
# @package _global_
defaults:
  - override /features: series
  - override /frontend: series
dataset:
  _target_: tandem_test_series.series
  folder: series
monitor:
  name: val/exact_match
  mode: max
""",
}


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the module, its YAML files and room for the series."""
    (tmp_path / "tandem_test_series.py").write_text(CODE)
    (tmp_path / "series").mkdir()
    for group, text in CONF.items():
        path = tmp_path / "conf" / group / "series.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(text.lstrip())
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_time_series(
    compose_config: Compose, own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, series = own_folder / "run", own_folder / "series"
    train(
        compose_config(
            "train",
            f"hydra.searchpath=[file://{own_folder / 'conf'}]",
            "dataset=series",
            "hidden_size=8",
            "batching.max_sentences=4",
            "trainer=cpu",
            "trainer.max_epochs=1",
            "trainer.log_every_n_steps=1",
            "callbacks.attention_maps.count=1",
            "callbacks.samples.count=2",
            f"run.folder={run}",
        )
    )
    assert (run / "attention" / "test-0.png").stat().st_size > 1000  # weights over positions
    samples = [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]
    assert samples[-1]["source"] == "series/test-1.csv"
    assert list((run / "wandb").rglob("*.wandb"))
    (table,) = (run / "wandb").rglob("samples/test_*.table.json")
    assert json.loads(table.read_text())["columns"] == [
        "index",
        "source",
        "hypothesis",
        "reference",
    ]

    own = ["tandem_test_series"]
    with pytest.raises(InputError, match="pass trusted="):
        load_bundle(run)
    bundle = load_bundle(run, trusted=own)
    assert (bundle.processors.source.media, bundle.processors.source.size) == ("series", 2)
    paths = [str(path) for path in sorted(series.glob("test-*.csv"))]
    expected = bundle.generate(paths)
    (own_folder / "paths.txt").write_text("\n".join(paths))
    trusted = f"trusted=[{own[0]}]"
    for source, outputs in (("paths.txt", expected), (paths[2], expected[2:])):
        capsys.readouterr()
        generate(compose_config("generate", f"run={run}", f"input={source}", trusted))
        assert capsys.readouterr().out == "".join(f"{output}\n" for output in outputs)
    capsys.readouterr()
    shown = ("n_best=1", "show_attention=true")
    generate(compose_config("generate", f"run={run}", f"input={paths[0]}", trusted, *shown))
    ((record,),) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "source" not in record  # there is nothing to write at its positions
    assert {len(row) for row in record["attention"]} == {4}
