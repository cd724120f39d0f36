"""Pictures and recordings of the user's own, from a folder to a bundle that reads more of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tandem.commands.evaluate import evaluate
from tandem.commands.generate import generate
from tandem.commands.train import train
from tandem.core.errors import InputError
from tandem.inference.bundle import load_bundle
from tandem.testing.media import ENDING, NAMES, OVERRIDES, fill_folder

Compose = Callable[..., Any]

TINY = (
    "hidden_size=8",
    "batching.max_sentences=4",
    "trainer=cpu",
    "trainer.max_epochs=1",
    "trainer.log_every_n_steps=1",
    "logger=csv",
    "callbacks.attention_maps.count=1",
    "callbacks.samples.count=2",
)


def composed(compose: Compose, media: str, folder: Path, *overrides: str) -> Any:
    data = f"dataset.data_dir={folder / 'data'}"
    return compose(
        "train", *OVERRIDES[media], data, *TINY, f"run.folder={folder / 'run'}", *overrides
    )


@pytest.mark.parametrize("media", ["image", "audio"])
def test_from_folder_to_output(
    compose_config: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str], media: str
) -> None:
    data, run = fill_folder(media, tmp_path / "data"), tmp_path / "run"
    metrics = train(composed(compose_config, media, tmp_path))
    assert (run / "attention" / "test-0.png").stat().st_size > 1000
    samples = [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]
    assert samples[-1]["source"] == str(data / "test" / f"1.{ENDING[media]}")
    again = evaluate(compose_config("evaluate", f"run={run}"))
    assert again == pytest.approx({k: v for k, v in metrics.items() if k.startswith("test/")})

    paths = [str(data / "test" / f"{place}.{ENDING[media]}") for place in range(3)]
    expected = load_bundle(run).generate(paths)
    listed = tmp_path / "paths.txt"
    listed.write_text("\n".join(paths))
    for source, outputs in ((listed, expected), (paths[2], expected[2:])):
        capsys.readouterr()
        generate(compose_config("generate", f"run={run}", f"input={source}"))
        assert capsys.readouterr().out == "".join(f"{output}\n" for output in outputs)


def test_evaluation_hears_each_training_recording_once(
    compose_config: Compose, tmp_path: Path
) -> None:
    """At the speed it has, whatever training heard; and also those too long for training."""
    data, run = fill_folder("audio", tmp_path / "data"), tmp_path / "run"
    options = ("features.speeds=[1.0,0.9,1.1]", "data.max_target_length=4", "test=false")
    train(composed(compose_config, "audio", tmp_path, *options))
    assert "Data: train 15," in (run / "train.log").read_text()  # 5 of 8, each at three speeds
    metrics = evaluate(compose_config("evaluate", f"run={run}", "split=train"))
    (written,) = (run / "evaluations").glob("*-train/hypotheses.txt")
    outputs = written.read_text().splitlines()
    bundle = load_bundle(run)
    paths = [str(data / "train" / f"{place}.wav") for place in range(8)]
    assert outputs == bundle.generate(paths)
    targets = [NAMES[place % 3] for place in range(8)]
    pairs = bundle.score(paths, targets)
    symbols = sum(len(pair.tokens) for pair in pairs)
    loss = -sum(pair.log_prob for pair in pairs) / symbols
    assert metrics["train/loss"] == pytest.approx(loss, abs=1e-4)


@pytest.mark.parametrize("media", ["image", "audio"])
def test_one_bad_file(compose_config: Compose, tmp_path: Path, media: str) -> None:
    bad = fill_folder(media, tmp_path / "data") / "train" / f"4.{ENDING[media]}"
    bad.write_bytes(bad.read_bytes()[:30])
    with pytest.raises(InputError, match=str(bad)):
        train(composed(compose_config, media, tmp_path))
    train(composed(compose_config, media, tmp_path, "data.on_bad_example=skip"))
    log = (tmp_path / "run" / "train.log").read_text()
    what = "picture" if media == "image" else "recording"
    assert f"Skipped 1 of 8 train files: The {what} {bad}" in log
    assert f"Data: train {7 if media == 'image' else 14}, validation 3, test 3" in log


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["dataset=reverse", "features=pixels"], "`frontend` reads sources of the kind text, but"),
        (
            ["dataset=reverse", "frontend=speech"],
            "This frontend or encoder reads pictures or recor",
        ),
        (
            ["dataset=imagefolder", "dataset.data_dir=.", "data.truncate_source=3"],
            "data.truncate_source=3 needs sources that are text",
        ),
        (
            ["dataset=imagefolder", "dataset.data_dir=.", "model.copying=true"],
            "model.copying=true needs",
        ),
    ],
)
def test_what_does_not_fit(
    compose_config: Compose, tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        train(compose_config("train", *overrides, *TINY, f"run.folder={tmp_path / 'run'}"))
    assert message in str(caught.value)
    assert not (tmp_path / "run").exists()
