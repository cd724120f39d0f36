"""A network of another package as an encoder: its weights, its bundle, and who may load that."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tandem.commands.train import train
from tandem.core.errors import InputError
from tandem.inference.bundle import load_bundle
from tandem.testing.media import OVERRIDES, fill_folder

NETWORK = """
from torch import nn

class Other(nn.Conv2d):
    def __init__(self, name):
        super().__init__(3, 4, 8)

class Network(nn.Module):
    @classmethod
    def from_name(cls, name, classes=1000):
        return cls({"small": 4}[name], classes)

    def __init__(self, size, classes):
        super().__init__()
        self.convolution = nn.Conv2d(3, size, 8, 8)
        self.norm = nn.BatchNorm2d(size)
        self.classifier = nn.Linear(size, classes)

    def features(self, images):
        return self.norm(self.convolution(images))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures, a package ``their_network`` and its weights."""
    (tmp_path / "their_network.py").write_text(NETWORK)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "their_network", raising=False)
    import their_network  # type: ignore[import-not-found]

    weights = their_network.Network.from_name("small", 10).state_dict()
    weights["norm.running_mean"] += 0.25
    save_file(weights, "weights.safetensors")
    torch.save(weights, "weights.pth")
    return fill_folder("image", tmp_path / "pictures")


@pytest.fixture
def configure(compose_config: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    pictures = [one for one in OVERRIDES["image"] if not one.startswith("frontend")]
    return lambda *overrides: compose_config(
        "train",
        *pictures,
        f"dataset.data_dir={folder}",
        "encoder=module",
        "encoder.module={_target_:their_network.Network.from_name,name:small}",
        "encoder.method=features",
        "encoder.path=weights.safetensors",
        "hidden_size=8",
        "trainer=cpu",
        "trainer.max_epochs=1",
        "callbacks=none",
        "logger=csv",
        "run.folder=run",
        *overrides,
    )


def test_a_frozen_network(configure: Callable[..., Any], folder: Path) -> None:
    """Its weights and statistics are those of the file, of which the bundle then needs no more."""
    train(configure("optimizer.groups={encoder.module:{frozen:true}}", "callbacks=attention_maps"))
    assert Path("run/attention/test-0.png").stat().st_size > 1000  # over 2 x 2 places
    weights = load_file("weights.safetensors")
    Path("weights.safetensors").unlink()
    with pytest.raises(InputError, match="asks for 'their_network"):
        load_bundle("run")
    bundle = load_bundle("run", trusted=["their_network"])
    assert "path" not in bundle.config["model"]["encoder"]
    module = bundle.model.encoder.module  # type: ignore[union-attr]
    for name, weight in module.state_dict().items():
        if not name.startswith("classifier"):  # which has 1,000 classes, and the file's 10
            assert torch.equal(weight, weights[name]), name
    assert len(bundle.generate([str(folder / "test" / "0.png")])) == 1


def test_a_network_that_learns(configure: Callable[..., Any]) -> None:
    """Its weights begin with the file's, and its statistics are those of training's pictures."""
    train(configure("optimizer.lr=1e-12", "test=false"))
    bundle = load_bundle("run", trusted=["their_network"])
    state, weights = bundle.model.state_dict(), load_file("weights.safetensors")  # type: ignore[attr-defined]
    for name in ("convolution.weight", "norm.weight"):
        torch.testing.assert_close(state[f"encoder.module.{name}"], weights[name])
    assert state["encoder.module.norm.num_batches_tracked"] > 0
    mean = state["encoder.module.norm.running_mean"]
    assert not torch.allclose(mean, weights["norm.running_mean"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("encoder.path=none.safetensors", "encoder.path=none.safetensors cannot be read (No such "),
        (
            "encoder.path=weights.pth",
            "encoder.path=weights.pth is a pickle, which may run code as it is read; convert it: "
            'python -c "import torch, safetensors.torch as s; '
            "s.save_file(torch.load('weights.pth', weights_only=True), 'weights.safetensors')\".",
        ),
        ("encoder.path=their_network.py", "encoder.path=their_network.py is no usable file of saf"),
        (
            "encoder.module._target_=their_network.Other",
            "encoder.path=weights.safetensors has no weight, which Other has; give the weights of "
            "the network that encoder.module makes, by the names that it has.",
        ),
        (
            "encoder.module._target_=their_network.Network.nothing",
            "encoder.module._target_=their_network.Network.nothing cannot be imported; correct the",
        ),
    ],
)
def test_what_cannot_begin(configure: Callable[..., Any], override: str, message: str) -> None:
    changes = ["encoder.method=null"] if "Other" in override else []
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        train(configure(override, *changes))
    assert not Path("run/bundle").exists()


def test_it_reads_no_texts(compose_config: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match=r"^This frontend or encoder reads pictures or recordings"):
        train(compose_config("train", "dataset=reverse", "encoder=module", "encoder.module={a:1}"))
