"""What cannot work stops before the work starts, in one sentence."""

import errno
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._pytree import tree_leaves

from tandem.commands.train import train
from tandem.core.devices import check_accelerator
from tandem.core.errors import InputError
from tandem.core.run_record import read_record

Run = Callable[..., Any]


def message_of(train_tiny: Run, folder: Path, *overrides: str) -> str:
    with pytest.raises(InputError) as caught:
        train_tiny(folder, *overrides)
    return str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["attention=dot", "encoder.hidden_size=12"], ["12", "8", "hidden_size"]),
        (["encoder=transformer", "encoder.num_heads=3"], ["num_heads", "(3)", "(8)"]),
        (["model.tie_embeddings=all"], ["tie_embeddings", "shared"]),
        (["model.tie_embeddings=target", "decoder.output_size=6"], ["tie_embeddings", "6", "8"]),
        (["model.tie_embeddings=some"], ["tie_embeddings", "some"]),
        (["bridge=copy", "encoder.hidden_size=12"], ["12", "8"]),
        (["search=beam", "search.width=0"], ["width", "0"]),
        (
            ["data.streaming=true"],
            ["data.streaming=true needs a dataset that can be read as a stream", "reverse cannot"],
        ),
        (
            ["stream.buffer_size=0"],
            ["`stream.buffer_size` must be a whole number of at least 1, but is 0."],
        ),
        (
            ["batching.max_tokens=0"],
            ["`batching.max_tokens` must be a whole number of at least 1 or null, but is 0."],
        ),
        (
            ["max_length=2000000"],
            ["`max_length` allows 2,000,000 symbols of an output, but a bundle may ask for at mo"],
        ),
        (
            ["search=sampling", "search.num_samples=2000"],
            ["`search` allows 2,000 outputs of each source, but a bundle may ask for at most 1,"],
        ),
        (
            ["max_length=-3"],
            ["`max_length` must be a whole number of at least 1 or null, but is -3"],
        ),
        (
            ["max_length=0"],
            ["`max_length` must be a whole number of at least 1 or null, but is 0."],
        ),
        (
            ["decoder=transformer", "decoder.num_layers=0"],
            ["`decoder.num_layers` must be a whole number of at least 1, but is 0."],
        ),
        (["hidden_size=-4"], ["`hidden_size` must be a whole number of at least 1, but is -4."]),
        (
            ["encoder.num_layers=1.5"],
            ["`encoder.num_layers` must be a whole number of at least 1, but is 1.5."],
        ),
        (
            ["encoder=transformer", "encoder.num_layers=-2"],
            ["`encoder.num_layers` must be a whole number of at least 1, but is -2."],
        ),
        (["seed=-1"], ["`seed` must be a whole number from 0 to 4294967295, but is -1."]),
        (
            ["trainer.accumulate_grad_batches=0"],
            ["`trainer.accumulate_grad_batches` must be a whole number of at least 1, but is 0."],
        ),
        (["objective.smoothing=1.5"], ["`objective.smoothing`", "1.5"]),
        (["objective.ctc_weight=1.5"], ["`objective.ctc_weight`", "1.5"]),
        (["objective.coverage_weight=-1"], ["`objective.coverage_weight`", "-1"]),
        (["objective.coverage_weight=1", "attention=none"], ["needs attention weights"]),
        (["scorer=ctc", "scorer.ctc.weight=2"], ["`scorer.ctc.weight`", "2"]),
        (["scorer=ctc"], ["needs a model with a CTC layer", "objective.ctc_weight"]),
        (["scorer=coverage", "attention=none"], ["scorer=coverage needs attention weights"]),
        (["model.copying=true"], ["model.copying", "tokenizer.shared=true"]),
        (
            ["model.copying=true", "tokenizer.shared=true", "attention=none"],
            ["model.copying=true", "no weights"],
        ),
        (["monitor.name=val/bleu"], ["`monitor.name` (val/bleu) must be one of what this run"]),
        (["+encoder.num_layer=2"], ["The key encoder.num_layer does not exist"]),
        (["encoder._target_=tandem.encoders.Nothing"], ["encoder._target_", "cannot be imported"]),
        (["hidden_size=${nowhere}"], ["'nowhere' not found"]),
        (["tokenizer.vocabulary_size=0"], ["vocabulary_size", "0"]),
        (["optimizer.lr=-1"], ["`optimizer.lr` must be a finite number of at least 0, but is -1."]),
        (
            ["optimizer=sgd", "optimizer.momentum=0"],
            ["The options under `optimizer` do not fit torch.optim.SGD (Nesterov momentum"],
        ),
        (["scheduler=cosine"], ["scheduler=cosine needs an end", "set trainer.max_steps"]),
        (
            ["tokenizer=bpe", "tokenizer.dropout=1"],
            ["`tokenizer.dropout` must be a number of at least 0 and below 1, but is 1."],
        ),
        (
            ["callbacks=[default,average]", "callbacks.average.count=1"],
            ["count` must be a whole number of at least 2, but is 1."],
        ),
        (
            ["noise=[word_dropout]", "features=pixels", "frontend=patches"],
            ["noise.word_dropout.source=0"],
        ),
        (
            ["noise=[layer_drop]", "encoder=cnn"],
            ["noise.layer_drop skips layers of a Transformer or Conformer, but this model has"],
        ),
        (
            ["noise=[layer_drop]", "encoder=conformer", "noise.layer_drop.probability=1"],
            ["`noise.layer_drop.probability` must be a number of at least 0 and below 1, but is 1"],
        ),
        (
            ["trainer.precision=16-true"],
            ["trainer.precision=16-true rounds optimizer.eps=1e-09 to 0", "optimizer.eps=1e-4"],
        ),
        (["risk=self_critical"], ["`risk` trains on outputs", "add init_from=outputs/run"]),
        (
            ["risk=self_critical", "init_from=x", "metric@risk.metric=[chrf,wer]"],
            ["metric@risk.metric takes one metric, but got chrf, wer; choose one."],
        ),
        (
            ["trainer.strategy=abc"],
            [
                "The options under `trainer` cannot work here (",
                "strategy='abc'",
                "); correct them.",
            ],
        ),
        (
            ["callbacks.early_stopping.monitor=val_loss"],
            ["`callbacks.early_stopping.monitor` (val_loss) must be one of", "mean val/loss?)"],
        ),
        (
            ["scheduler=plateau", "scheduler.monitor=val/bleu"],
            ["`scheduler.monitor` (val/bleu) must be one of what this run logs", "leave it out"],
        ),
        (["init_from=5"], ["There is no bundle in 5"]),
        (["init_from=nowhere"], ["There is no bundle in nowhere"]),
        (["dataset.size=3"], ["dataset.size (3) must be at least 10"]),
    ],
    ids=str,
)
def test_options_that_do_not_fit(
    compose_tiny: Run, tmp_path: Path, overrides: list[str], words: list[str]
) -> None:
    folder = tmp_path / "run"
    with pytest.raises(InputError) as caught:
        train(compose_tiny(f"run.folder={folder}", *overrides))
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)
    if overrides != ["dataset.size=3"]:
        assert not folder.exists()


def test_a_value_that_is_missing(compose_tiny: Run, tmp_path: Path) -> None:
    cfg = compose_tiny(f"run.folder={tmp_path / 'run'}", "dataset.size=???")
    with pytest.raises(InputError) as caught:
        train(cfg)
    assert str(caught.value) == (
        "The config needs a value for dataset.size; add dataset.size=... to the command line."
    )
    assert not (tmp_path / "run").exists()


def test_a_gpu_that_is_not_there(
    compose_tiny: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    for option in ("trainer=gpu", "trainer.accelerator=cuda", "trainer.accelerator=mps"):
        with pytest.raises(InputError) as caught:
            train(compose_tiny(f"run.folder={tmp_path / 'run'}", option))
        assert "needs a GPU, but torch " in str(caught.value)
        assert "choose trainer.accelerator=cpu or auto, or install" in str(caught.value)
    with pytest.raises(InputError, match=r"^accelerator=gpu needs a GPU, but torch "):
        check_accelerator("gpu", "accelerator")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["trainer.limit_train_batches=0.1"],
            "trainer.limit_train_batches=0.1 is less than a batch of the train split, which has 5; "
            "give a number of batches, such as trainer.limit_train_batches=1.",
        ),
        (
            ["trainer.limit_val_batches=0.4"],
            "trainer.limit_val_batches=0.4 is less than a batch of the validation split, which has "
            "1; give a number of batches, such as trainer.limit_val_batches=1.",
        ),
        (
            ["trainer.limit_test_batches=0.01"],
            "trainer.limit_test_batches=0.01 is less than a batch of the test split, which has 1; "
            "give a number of batches, such as trainer.limit_test_batches=1.",
        ),
        (
            ["trainer.val_check_interval=1000", "trainer.check_val_every_n_epoch=1"],
            "trainer.val_check_interval=1000 with trainer.check_val_every_n_epoch asks for a "
            "validation after so many batches of one epoch, which has 5; leave "
            "trainer.check_val_every_n_epoch out to count batches across epochs.",
        ),
    ],
    ids=["train", "validation", "test", "interval"],
)
def test_parts_of_an_epoch_that_there_are_not(
    train_tiny: Run, tmp_path: Path, overrides: list[str], message: str
) -> None:
    assert message_of(train_tiny, tmp_path / "run", *overrides) == message
    assert not (tmp_path / "run").exists()


@pytest.fixture
def parallel(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for split in ("train", "validation", "test"):
        (folder / f"{split}.x").write_text("a b\nb c\n")
        (folder / f"{split}.y").write_text("b a\nc b\n")
    return folder


def damage(folder: Path, how: str) -> None:
    if how == "missing":
        (folder / "test.y").unlink()
    elif how == "unequal":
        (folder / "train.y").write_text("b a\n")
    elif how == "empty line":
        (folder / "validation.x").write_text("a b\n\n")
    elif how == "encoding":
        (folder / "train.x").write_bytes("a b\nb é\n".encode("latin-1"))
    elif how == "empty split":
        (folder / "test.x").write_text("")
        (folder / "test.y").write_text("")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            "missing",
            "The file {data}/test.y of the test split does not exist ({data} has test.x, train.x, "
            "train.y, validation.x, validation.y); correct dataset.data_dir or dataset.test; "
            "dataset.test=0.1 takes a tenth of the training split.",
        ),
        (
            "unequal",
            "The files {data}/train.x (2 lines) and {data}/train.y (1 lines) must have equally "
            "many lines, as line n of one belongs to line n of the others; check that none was "
            "cut or edited alone.",
        ),
        (
            "empty line",
            "The source at {data}/validation.{{x,y}} line 2 is empty, but every example needs a "
            "source and a target; correct the file or set dataset.on_bad_example=skip.",
        ),
        (
            "encoding",
            "Line 2 of the file {data}/train.x must be UTF-8, but has the byte 0xE9; convert the "
            "file, for example with iconv -f WINDOWS-1252 -t UTF-8.",
        ),
        (
            "empty split",
            "The test split is empty, but each of train, validation, test needs at least one "
            "example; check the files or names that the dataset was given.",
        ),
    ],
)
def test_data_that_cannot_be_used(
    compose_command: Run, parallel: Path, tmp_path: Path, how: str, message: str
) -> None:
    options = (
        "dataset=parallel",
        f"dataset.data_dir={parallel}",
        "dataset.source=x",
        "dataset.target=y",
        "tokenizer=char",
        "hidden_size=8",
        "trainer=cpu",
        "trainer.max_epochs=1",
        "logger=csv",
        "callbacks.attention_maps.count=0",
        f"run.folder={tmp_path / 'run'}",
    )
    damage(parallel, how)
    with pytest.raises(InputError) as caught:
        train(compose_command("train", *options))
    assert str(caught.value) == message.format(data=parallel)
    assert not (tmp_path / "run").exists()


def test_the_folder_can_be_used_again_after_a_failed_start(train_tiny: Run, tmp_path: Path) -> None:
    assert "at least 10" in message_of(train_tiny, tmp_path / "run", "dataset.size=3")
    assert train_tiny(tmp_path / "run", "test=false")


def test_a_run_folder_that_exists(train_tiny: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    assert message_of(train_tiny, folder) == (
        f"The run folder {folder} already exists; choose another run.folder, or continue that run "
        "with resume=true."
    )
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "thesis.txt": "years of work"
    }


def test_a_run_folder_that_is_a_file(train_tiny: Run, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    assert "cannot be made (File exists); choose another" in message_of(
        train_tiny, tmp_path / "run"
    )
    message = message_of(train_tiny, tmp_path / "run" / "inside")
    assert "cannot be made (Not a directory); choose another run.folder." in message


def test_no_room_for_a_checkpoint(
    train_tiny: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.fsync, []

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 2:  # best.ckpt and last.ckpt of the first epoch fit
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    message = message_of(
        train_tiny,
        tmp_path / "run",
        "trainer.max_epochs=2",
        "monitor.name=val/loss",
    )
    assert message.startswith("No room for a checkpoint: ")
    assert "(No space left on device); the previous one is kept, so free space" in message
    folder = tmp_path / "run" / "checkpoints"
    assert {path.name for path in folder.iterdir()} == {"best.ckpt", "last.ckpt"}
    for path in folder.iterdir():
        assert torch.load(path, weights_only=True)["global_step"] == 5
    record = read_record(tmp_path / "run")
    assert (record["state"], record["why"]) == ("failed", message)


def test_a_loss_that_is_not_finite(train_tiny: Run, tmp_path: Path) -> None:
    message = message_of(
        train_tiny,
        tmp_path / "run",
        "optimizer=sgd",
        "optimizer.lr=0.1",
        "trainer.max_epochs=9",
        "trainer.gradient_clip_val=null",
        "callbacks.last.every_n_train_steps=1",
        "+callbacks.explode._target_=tandem_test_explode.Explode",
    )
    assert message == (
        "The loss of step 8 is nan, so training stops and the last good checkpoint stays; lower "
        "optimizer.lr, set trainer.gradient_clip_val=1 or use trainer.precision=32-true."
    )
    folder = tmp_path / "run" / "checkpoints"
    for path in folder.iterdir():
        state = torch.load(path, weights_only=True)["state_dict"]
        assert all(torch.isfinite(tensor).all() for tensor in state.values()), path.name
    assert read_record(tmp_path / "run")["why"] == message


def test_a_rate_that_is_much_too_high(train_tiny: Run, tmp_path: Path) -> None:
    message = message_of(
        train_tiny,
        tmp_path / "run",
        "optimizer=sgd",
        "optimizer.lr=1e38",
        "trainer.gradient_clip_val=null",
        "callbacks.last.every_n_train_steps=1",
    )
    assert "so training stops and the last good checkpoint stays" in message
    for path in (tmp_path / "run" / "checkpoints").iterdir():
        state = torch.load(path, weights_only=True)["state_dict"]
        assert all(torch.isfinite(tensor).all() for tensor in state.values()), path.name


@pytest.mark.parametrize(
    ("step", "overrides"),
    [
        (5, []),
        (10, []),
        (10, ["callbacks=[default,ema]"]),
        (10, ["callbacks=[default,average]", "callbacks.average.choose=last"]),
        (10, ["trainer.limit_val_batches=0"]),
        (10, ["callbacks=none"]),
        (7, ["trainer.max_steps=7"]),
    ],
    ids=str,
)
def test_a_step_that_spoils_the_weights_before_a_validation_or_the_end(
    train_tiny: Run, tmp_path: Path, step: int, overrides: list[str]
) -> None:
    """Its own loss was finite, and another one is never made: validations are behind 5 and 10."""
    run = tmp_path / "run"
    spoil = ["+callbacks.spoil._target_=tandem_test_spoil.Spoil", f"+callbacks.spoil.step={step}"]
    message = message_of(train_tiny, run, "trainer.max_epochs=2", *spoil, *overrides)
    assert message.startswith(f"Step {step} made weights that are not finite, so training stops")
    for path in run.glob("checkpoints/*"):
        for tensor in tensors(torch.load(path, weights_only=True)):
            assert torch.isfinite(tensor).all(), path.name
    assert not (run / "bundle").exists()


def tensors(state: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(state) if isinstance(leaf, torch.Tensor)]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["decoder=cnn", "decoder.positions=learned", "decoder.max_length=12"],
            "An output may have max_length=20 symbols, but the decoder's learned positions end at "
            "decoder.max_length=12; lower max_length, or raise that, or choose "
            "decoder.positions=sinusoidal.",
        ),
        (
            [
                "decoder=transformer",
                "decoder.positions=learned",
                "decoder.max_length=4",
                "decoder.num_heads=2",
                "max_length=3",
            ],
            "The longest target of the train split has 5 symbols, but the decoder's learned "
            "positions end at decoder.max_length=4; set data.max_target_length, or raise that, or "
            "choose decoder.positions=sinusoidal.",
        ),
        (
            ["encoder=cnn", "encoder.positions=learned", "encoder.max_length=4"],
            "The longest source of the train split has 5 positions, but the encoder's learned "
            "positions end at encoder.max_length=4; set data.truncate_source or "
            "data.max_source_length, or raise that, or choose encoder.positions=sinusoidal.",
        ),
    ],
    ids=["output", "target", "source"],
)
def test_learned_positions_that_end_too_soon(
    train_tiny: Run, tmp_path: Path, overrides: list[str], message: str
) -> None:
    assert message_of(train_tiny, tmp_path / "run", *overrides) == message
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.fixture(autouse=True)
def exploding_callback(importable: Callable[[type], str]) -> None:
    """A callback that spoils the weights at a step, as a bad batch may do."""
    import lightning as L

    class Explode(L.Callback):
        def on_train_batch_start(
            self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
        ) -> None:
            if trainer.global_step == 7:
                with torch.no_grad():
                    next(pl_module.parameters()).fill_(math.nan)

    class Spoil(L.Callback):
        def __init__(self, step: int) -> None:
            self.step = step

        def on_after_backward(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
            if trainer.global_step == self.step - 1:
                for parameter in pl_module.parameters():
                    if parameter.grad is not None:
                        parameter.grad.fill_(math.inf)

    assert importable(Explode) == "tandem_test_explode.Explode"
    assert importable(Spoil) == "tandem_test_spoil.Spoil"


def test_wandb_online_without_an_account(
    train_tiny: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    message = message_of(
        train_tiny, tmp_path / "run", "logger=[wandb,csv]", "logger.wandb.mode=online"
    )
    assert message.startswith("logger.wandb.mode=online cannot start (")
    assert message.endswith("; run `wandb login` first, or use logger.wandb.mode=offline.")
    assert "\n" not in message
