"""A modality of one's own, as in docs/guides/extending.md, under all that a run does with it."""

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tandem.commands.generate import generate
from tandem.commands.train import train
from tandem.core.errors import InputError
from tandem.inference.bundle import load_bundle

Compose = Callable[..., Any]

DOCUMENT = (Path(__file__).parents[2] / "docs/guides/extending.md").read_text(encoding="utf-8")


@pytest.fixture
def own_folder(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write_examples: Callable[[str, Path], list[Path]],
) -> Path:
    """A working directory with the example of the document, and its series."""
    for path in write_examples(DOCUMENT.split("\n### A modality\n")[1], tmp_path):
        monkeypatch.delitem(sys.modules, path.stem, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    runpy.run_path("make_series.py")
    return tmp_path


def test_a_time_series(
    compose_config: Compose, own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, series = own_folder / "run", own_folder / "series"
    scores = train(
        compose_config(
            "train",
            f"hydra.searchpath=[file://{own_folder / 'conf'}]",
            "dataset=series",
            "hidden_size=32",
            "optimizer.lr=0.01",
            "batching.max_sentences=16",
            "trainer=cpu",
            "trainer.max_epochs=8",
            "trainer.log_every_n_steps=1",
            "callbacks.attention_maps.count=1",
            "callbacks.samples.count=2",
            f"run.folder={run}",
        )
    )
    assert scores["test/exact_match"] == 100
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

    own = ["my_series"]
    with pytest.raises(InputError, match="pass trusted="):
        load_bundle(run)
    bundle = load_bundle(run, trusted=own)
    assert (bundle.processors.source.media, bundle.processors.source.size) == ("series", 2)
    paths = [str(path) for path in sorted(series.glob("test-*.csv"))]
    expected = bundle.generate(paths)
    (own_folder / "paths.txt").write_text("\n".join(paths))
    trusted = f"trusted=[{own[0]}]"
    for source, outputs in (("paths.txt", expected), (paths[2], expected[2:3])):
        capsys.readouterr()
        generate(compose_config("generate", f"run={run}", f"input={source}", trusted))
        assert capsys.readouterr().out == "".join(f"{output}\n" for output in outputs)
    capsys.readouterr()
    shown = ("n_best=1", "show_attention=true")
    generate(compose_config("generate", f"run={run}", f"input={paths[0]}", trusted, *shown))
    ((record,),) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "source" not in record  # there is nothing to write at its positions
    assert {len(row) for row in record["attention"]} == {4}
