"""A run from options to a bundle: what it writes, and that choices work together."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from tandem.commands.train import train
from tandem.config import build, checks
from tandem.config.catalogue import config_groups
from tandem.inference.bundle import load_bundle
from tandem.loggers import CSVLogger

Run = Callable[..., Any]


def test_what_a_run_writes(
    train_tiny: Run, compose_tiny: Run, read_metrics: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    cfg = compose_tiny(
        f"run.folder={folder}",
        "logger=[wandb,csv]",
        "callbacks.attention_maps.count=1",
        "seed=7",
    )
    metrics = train(cfg, "tandem train seed=7")
    assert {path.name for path in folder.iterdir()} == {
        ".lock",
        "attention",
        "bundle",
        "checkpoints",
        "config.yaml",
        "data.json",
        "metrics.csv",
        "run.json",
        "samples.jsonl",
        "test.jsonl",
        "tokenizers",
        "train.log",
        "wandb",
    }
    record = json.loads((folder / "run.json").read_text())
    assert record["state"] == "finished"
    assert record["started"] <= record["ended"]
    assert record["metrics"] == metrics
    assert {
        f"{split}/{name}"
        for split in ("val", "test")
        for name in ("exact_match", "loss", "perplexity", "token_accuracy")
    } <= metrics.keys()
    assert record["parameters"] == load_bundle(folder).model.num_parameters()
    assert record["training_seconds"] > 0
    assert record["seed"] == 7
    assert record["command"] == "tandem train seed=7"
    assert {"tandem", "torch", "python"} <= record["versions"].keys()
    assert record["signatures"]["test/exact_match"].startswith("exact_match|")
    assert yaml.safe_load((folder / "config.yaml").read_text())["hidden_size"] == 8
    assert {path.name for path in (folder / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    assert {path.name for path in (folder / "attention").iterdir()} >= {"test-0.png"}
    rows = read_metrics(folder)
    assert [row["step"] for row in rows if row["train/loss"]] == ["0", "1", "2", "3", "4"]
    assert float(rows[-1]["test/loss"]) == metrics["test/loss"]
    samples = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
    assert {sample["split"] for sample in samples} == {"validation", "test"}
    assert "Trained for" in (folder / "train.log").read_text()
    (tmp_path / "usual").touch()
    usual = (tmp_path / "usual").stat().st_mode  # as the umask has it
    ours = [path for path in folder.rglob("*") if "wandb" not in path.parts and path.is_file()]
    assert {path for path in ours if path.stat().st_mode != usual} == set()


def test_every_epoch_trains(train_tiny: Run, read_metrics: Run, tmp_path: Path) -> None:
    train_tiny(tmp_path / "run", "trainer.max_epochs=3", "test=false")
    rows = read_metrics(tmp_path / "run")
    steps = [(row["step"], row["epoch"]) for row in rows if row["train/loss"]]
    assert steps == [(str(step), str(step // 5)) for step in range(15)]


@pytest.mark.parametrize(
    "overrides",
    [
        ["tokenizer=bpe", "tokenizer.vocabulary_size=300", "model.tie_embeddings=all"],
        ["tokenizer=char", "model.tie_embeddings=target", "decoder=transformer"],
        ["tokenizer=word", "tokenizer@source_tokenizer=char", "decoder=lstm"],
        ["encoder=transformer", "encoder.num_heads=2", "search=beam", "trainer.max_epochs=2"],
        ["trainer.accumulate_grad_batches=2", "encoder=cnn", "decoder=cnn"],
        ["trainer.precision=bf16-mixed"],
        ["callbacks=[default,matmul_precision]", "encoder=transformer", "encoder.num_heads=2"],
        ["decoder.input_feeding=true", "trainer.gradient_clip_val=0.1"],
        ["metric=[bleu,chrf,ter,rouge,wer,cer,exact_match]"],
        ["callbacks=none", "logger=none", "test=false"],
        ["trainer.val_check_interval=2"],
        ["trainer.val_check_interval=3", "trainer.check_val_every_n_epoch=null"],
        ["max_length=3", "data.max_source_length=3"],
        ["noise=[word_dropout,scheduled_sampling]", "noise.scheduled_sampling.steps=1"],
        ["noise=[layer_drop,word_dropout]", "encoder=conformer", "encoder.num_heads=2"],
        ["objective.r_drop_weight=1", "objective.ctc_weight=0.3", "model.tie_embeddings=target"],
    ],
    ids=lambda overrides: " ".join(overrides),
)
def test_choices_train(train_tiny: Run, tmp_path: Path, overrides: list[str]) -> None:
    metrics = train_tiny(tmp_path / "run", *overrides)
    assert all(map(math.isfinite, metrics.values()))
    assert load_bundle(tmp_path / "run").generate(["a b", "b"])


@pytest.mark.filterwarnings("ignore:.*AMP with fp16 is not supported on CPU")
@pytest.mark.parametrize("precision", ["64-true", "bf16-true", "16-true", "bf16-mixed", "16-mixed"])
def test_precisions_train(train_tiny: Run, tmp_path: Path, precision: str) -> None:
    """Whatever the type of the weights, a batch goes through and outputs are found."""
    options = ("encoder=transformer", "encoder.num_heads=2", "search=beam", "optimizer.eps=1e-4")
    metrics = train_tiny(tmp_path / "run", f"trainer.precision={precision}", *options)
    assert all(map(math.isfinite, metrics.values()))
    assert load_bundle(tmp_path / "run").generate(["a b", "b"])


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "adafactor"])
def test_optimizers_lower_the_loss(
    train_tiny: Run, read_metrics: Run, tmp_path: Path, optimizer: str
) -> None:
    train_tiny(
        tmp_path,
        f"optimizer={optimizer}",
        "optimizer.lr=0.01",
        "trainer.max_epochs=4",
        "callbacks=none",
        "test=false",
    )
    losses = [float(row["train/loss"]) for row in read_metrics(tmp_path) if row["train/loss"]]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    "options",
    [
        ["scheduler=constant", "scheduler.warmup_steps=2"],
        ["scheduler=inverse_sqrt", "scheduler.warmup_steps=2"],
        ["scheduler=cosine", "scheduler.warmup_steps=2", "trainer.max_steps=8"],
        ["scheduler=plateau", "scheduler.patience=0"],
    ],
)
def test_schedules_change_the_rate(train_tiny: Run, tmp_path: Path, options: list[str]) -> None:
    train_tiny(tmp_path, *options, "trainer.max_epochs=3", "test=false")
    checkpoint = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    (scheduler,) = checkpoint["lr_schedulers"]
    steps = scheduler["last_epoch"]
    assert steps == (3 if "plateau" in options[0] else checkpoint["global_step"])


def test_what_validation_logs_is_what_the_checks_say(
    train_tiny: Run, compose_tiny: Run, tmp_path: Path
) -> None:
    options = ("objective.ctc_weight=0.3", f"metric=[{','.join(config_groups()['metric'])}]")
    metrics = train_tiny(tmp_path, *options, "test=false")
    cfg = compose_tiny(*options)
    expected = checks.validation_scores(cfg, build.build_metrics(cfg))
    assert {name for name in metrics if name.startswith("val/")} == {*expected}


def test_early_stopping_stops(train_tiny: Run, read_metrics: Run, tmp_path: Path) -> None:
    train_tiny(
        tmp_path,
        "callbacks.early_stopping.patience=1",
        "callbacks.early_stopping.patience_steps=5",
        "monitor.name=val/loss",
        "optimizer=sgd",
        "optimizer.lr=0.0",
        "trainer.max_epochs=9",
        "test=false",
    )
    steps = [row["step"] for row in read_metrics(tmp_path) if row["train/loss"]]
    assert len(steps) == 10  # two epochs
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["why"].startswith("callbacks.early_stopping: val/loss has not improved on ")
    assert (record["epochs"], record["steps"]) == (2, 10)


def test_debug_fast(train_tiny: Run, read_metrics: Run, tmp_path: Path) -> None:
    metrics = train_tiny(tmp_path, "debug=fast")
    assert [row["step"] for row in read_metrics(tmp_path) if row["train/loss"]] == ["0", "1", "2"]
    assert "test/exact_match" in metrics


def test_debug_overfit_learns_by_heart(train_tiny: Run, tmp_path: Path) -> None:
    metrics = train_tiny(
        tmp_path,
        "debug=overfit",
        "data.overfit=6",
        "hidden_size=32",
        "optimizer.lr=0.02",
        "trainer.max_epochs=60",
    )
    assert metrics["train/loss"] < 0.1
    assert metrics["test/exact_match"] == 100.0


def test_loggers_get_every_key_of_the_config(
    train_tiny: Callable[..., dict[str, float]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[dict[str, Any]] = []
    monkeypatch.setattr(CSVLogger, "log_hyperparams", lambda self, given: logged.append(given))
    train_tiny(tmp_path / "run", "trainer.max_steps=1", "callbacks=none", "test=false")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert logged[0]["encoder"]["hidden_size"] == 8
    assert logged[0]["parameters"] == record["parameters"]


def test_curves_say_how_much_the_run_has_trained(
    train_tiny: Run, read_metrics: Run, tmp_path: Path
) -> None:
    """Also where another logger is chosen, and with each validation."""
    metrics = train_tiny(tmp_path, "logger=tensorboard", "trainer.max_epochs=2")
    rows = read_metrics(tmp_path)
    steps = [row for row in rows if row["train/lr"]]
    validations = [row for row in rows if row["val/loss"] and row["train/tokens"]]
    assert len(steps) == 10
    assert len(validations) == 2
    for name in ("train/tokens", "train/seconds"):
        curve = [float(row[name]) for row in steps]
        assert curve == sorted(curve)
        assert [float(row[name]) >= curve[4 + 5 * i] for i, row in enumerate(validations)]
    assert float(steps[4]["train/tokens"]) * 2 == float(steps[9]["train/tokens"])
    assert all(float(row["train/grad_norm"]) > 0 for row in steps)
    assert not {"train/lr", "train/grad_norm", "train/tokens", "train/seconds"} & metrics.keys()
