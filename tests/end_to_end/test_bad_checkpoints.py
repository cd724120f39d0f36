"""Checkpoints of others that cannot be used: one sentence each, before any data is read."""

import json
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from tandem.commands.train import train
from tandem.core.errors import InputError
from tandem.testing.checkpoints import SIZES, write_checkpoint

pytest.importorskip("transformers")

NO_DATA = ("dataset=parallel", "dataset.data_dir=nowhere", "dataset.source=a", "dataset.target=b")
"""Files that are not there: the first sentence about them would be another one."""
WEIGHTS = "model.safetensors"
Damage = Callable[[Path], Any]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint") / "bert"
    write_checkpoint(folder, "bert", SIZES)
    return folder


def with_text(name: str, text: str) -> Damage:
    return lambda folder: (folder / name).write_text(text)


def without(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def config(**changes: Any) -> Damage:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def cut_off(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[: len(content) // 2])


def renamed(name: str, folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / name)


def in_parts(folder: Path) -> None:
    """An index of a file that is not there."""
    (folder / WEIGHTS).unlink()
    (folder / f"{WEIGHTS}.index.json").write_text('{"weight_map": {"a": "1.safetensors"}}')


def outside(folder: Path) -> None:
    """An index that leads out of the folder."""
    (folder / WEIGHTS).unlink()
    (folder / f"{WEIGHTS}.index.json").write_text('{"weight_map": {"a": "../1.safetensors"}}')


def without_a_layer(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    kept = {name: weight for name, weight in weights.items() if ".layer.1." not in name}
    save_file(kept, folder / WEIGHTS, metadata={"format": "pt"})


def with_more_symbols(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary |= {f"other{place}": len(vocabulary) + place for place in range(100)}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


CASES: dict[str, tuple[Damage, str]] = {
    "no config": (
        without("config.json"),
        "encoder.path={path} has no config.json, so it is no checkpoint of transformers; give the "
        "folder that save_pretrained wrote.",
    ),
    "a damaged config": (
        with_text("config.json", "{"),
        "The file {path}/config.json of encoder.path={path} is damaged (Expecting property name "
        "enclosed in double quotes: line 1 column 2 (char 1)); get it again.",
    ),
    "no kind of network": (
        with_text("config.json", "[]"),
        "encoder.path={path} has a config.json without `model_type`, so its architecture is "
        "unknown; give another checkpoint.",
    ),
    "another architecture": (
        config(model_type="mamba"),
        "`encoder.architecture.model_type` must be one of bert, distilbert, ",
    ),
    "sizes that do not fit each other": (
        config(num_attention_heads=3),
        "`encoder.architecture` describes no network of bert (The hidden size (16) is not a "
        "multiple of the number of attention heads (3)); get the checkpoint's config.json again.",
    ),
    "a size that is none": (
        config(hidden_size="many"),
        "`encoder.architecture` describes no network of bert (Validation error for field ",
    ),
    "sizes that do not fit the weights": (
        config(intermediate_size=64),
        "encoder.path={path} has the weight encoder.layer.0.intermediate.dense.bias in the shape "
        "(32,), but its config.json describes one of the shape (64,); get the checkpoint again.",
    ),
    "more layers than the weights": (
        config(num_hidden_layers=3),
        "encoder.path={path} has no weight encoder.layer.2.attention.self.query.weight, which its "
        "network needs; get the whole checkpoint.",
    ),
    "no weights": (
        without(WEIGHTS),
        "encoder.path={path} has no model.safetensors, so there are no weights to load; get the "
        "whole checkpoint.",
    ),
    "a pickle": (
        partial(renamed, "pytorch_model.bin"),
        "encoder.path={path} has its weights in pytorch_model.bin, a pickle, which may run code as "
        'it is read; convert it where you trust it: python -c "from transformers import ',
    ),
    "weights that are cut off": (
        cut_off,
        "The file {path}/model.safetensors of encoder.path={path} is missing or damaged (Error "
        "while deserializing header: ",
    ),
    "a missing part of the weights": (
        in_parts,
        "The file {path}/1.safetensors of encoder.path={path} is missing or damaged (No such file ",
    ),
    "weights elsewhere": (
        outside,
        "The file {path}/model.safetensors.index.json of encoder.path={path} does not say which "
        "files have the weights; get it again.",
    ),
    "a missing layer": (
        without_a_layer,
        "encoder.path={path} has no weight encoder.layer.1.attention.self.query.weight, which its "
        "network needs; get the whole checkpoint.",
    ),
    "no tokenizer": (
        without("tokenizer.json"),
        "encoder.path={path} has no tokenizer.json; save it there with transformers: ",
    ),
    "a damaged tokenizer": (
        with_text("tokenizer.json", "{"),
        "The file {path}/tokenizer.json cannot be read (EOF while parsing an object at line 1 ",
    ),
    "a tokenizer of another network": (
        with_more_symbols,
        "encoder.path={path} has a tokenizer with the id 158, but a network for 59 symbols, so "
        "they are not of one model; get the checkpoint again.",
    ),
}
"""What becomes of a sound checkpoint, and how the sentence begins."""


@pytest.mark.parametrize("case", CASES)
def test_checkpoints(
    compose_config: Callable[..., Any], sound: Path, tmp_path: Path, case: str
) -> None:
    damage, message = CASES[case]
    path = Path(shutil.copytree(sound, tmp_path / "bert"))
    damage(path)
    assert message_of(compose_config, tmp_path, path).startswith(message.format(path=path))


def message_of(compose: Callable[..., Any], folder: Path, path: Any, *overrides: str) -> str:
    cfg = compose(
        "train",
        *(*NO_DATA, "hidden_size=8", "trainer=cpu", "callbacks=none", "logger=csv"),
        *("encoder=pretrained", f"encoder.path={path}", f"run.folder={folder / 'run'}"),
        *overrides,
    )
    with pytest.raises(InputError) as caught:
        train(cfg)
    assert "\n" not in str(caught.value)
    assert not (folder / "run").exists()
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a/b/c", "encoder.path=a/b/c is neither a folder nor a name on the Hugging Face Hub; "),
        (
            "somebody/bert",
            "encoder.path=somebody/bert is no folder, and the Hugging Face Hub cannot be reached; "
            "give a folder, or try again with a network.",
        ),
    ],
)
def test_what_is_nowhere(
    compose_config: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    message: str,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert message_of(compose_config, tmp_path, name).startswith(message)


@pytest.mark.parametrize(
    ("package", "extra", "overrides"),
    [("transformers", "pretrained", []), ("peft", "lora", ["adapter=lora"])],
)
def test_a_package_that_is_missing(
    compose_config: Callable[..., Any],
    sound: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    extra: str,
    overrides: list[str],
) -> None:
    monkeypatch.setattr("tandem.core.extras.find_spec", lambda name: None if name == package else 1)
    pattern = rf"needs the package {package}, which .* pip install 'tandem-seq2seq\[{extra}\]', or "
    assert re.search(pattern, message_of(compose_config, tmp_path, sound, *overrides))


def test_sources_longer_than_the_network_has_positions(
    compose_config: Callable[..., Any], sound: Path, tmp_path: Path
) -> None:
    for split in ("train", "validation", "test"):
        (tmp_path / f"{split}.a").write_text(f"{'snow ' * 50}\na dog\n")
        (tmp_path / f"{split}.b").write_text("x\ny\n")
    cfg = compose_config(
        "train",
        *("dataset=parallel", f"dataset.data_dir={tmp_path}", "dataset.source=a"),
        *("dataset.target=b", "encoder=pretrained", f"encoder.path={sound}", "hidden_size=8"),
        *("trainer=cpu", "callbacks=none", "logger=csv", f"run.folder={tmp_path / 'run'}"),
    )
    with pytest.raises(InputError) as caught:
        train(cfg)
    assert str(caught.value) == (
        "The longest source of the train split has 52 positions, but the pretrained encoder has "
        "positions for 40; set data.truncate_source or data.max_source_length, or choose another "
        "encoder."
    )
