"""Encoders that are networks of other packages: what they get and give, and what is refused."""

import re
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tandem.core.errors import InputError
from tandem.encoders import ModuleEncoder
from tandem.frontends import VectorFrontend
from tandem.testing import partners

HEIGHT, WIDTH = 6, 4


class Network(nn.Module):
    """A network with a normalisation over the batch, and a head that pictures never see."""

    def __init__(self, size: int = 5) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, size, kernel_size=2, stride=2)
        self.norm = nn.BatchNorm2d(size)
        self.classifier = nn.Linear(size, 1000)

    def features(self, images: Tensor) -> Tensor:
        return self.norm(self.convolution(images))

    def cells(self, images: Tensor) -> Tensor:
        return self.features(images).flatten(2).transpose(1, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images).mean((2, 3)))

    def two(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images, images


def encoder(**changes: Any) -> ModuleEncoder:
    options: dict[str, Any] = {
        "input_size": 3 * WIDTH,
        "method": "features",
        "mean": [0.5, 0.4, 0.3],
        "std": [0.5, 0.25, 2.0],
        "image_height": HEIGHT,
        "image_width": WIDTH,
        "channels": 3,
        "hidden_size": None,
        "positions": "none",
        "shift": 0,
        "dropout": 0.0,
    }
    if "module" not in changes:
        options["module"] = Network()
    return ModuleEncoder(**{**options, **changes})


def pictures(batch: int = 2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    shape = (batch, HEIGHT, 3 * WIDTH)
    source = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    return source, torch.ones(batch, HEIGHT, dtype=torch.bool)


@pytest.mark.parametrize("method", ["features", "cells"])
def test_states_are_what_the_module_makes_of_normed_pictures(method: str) -> None:
    source, mask = pictures()
    images = source.view(2, HEIGHT, WIDTH, 3).permute(0, 3, 1, 2) / 255
    mean, std = (torch.tensor(one).view(3, 1, 1) for one in ([0.5, 0.4, 0.3], [0.5, 0.25, 2.0]))
    reader = encoder(method=method).eval()
    memory = reader(*VectorFrontend(source_size=3 * WIDTH, media="image")(source, mask))
    expected = reader.module.cells((images - mean) / std)
    torch.testing.assert_close(memory.states, expected)
    torch.testing.assert_close(memory.summary, expected.mean(1))
    assert memory.mask.shape == (2, 6)
    assert memory.mask.all()
    assert reader.grid(HEIGHT, 1) == (3, 2)
    assert reader.output_size == 5


def test_a_whole_model_learns_in_it() -> None:
    """All contracts but those of padding, as pictures have one size."""
    torch.manual_seed(0)
    make = partial(encoder, hidden_size=8, positions="sinusoidal")
    model = partners.small_model(
        frontend=partial(VectorFrontend, media="image"), encoder=make, source_size=3 * WIDTH
    )
    assert model.grid(HEIGHT) == (3, 2)
    source, mask = pictures()
    before = model.encoder.module.norm.running_mean.clone()
    model.train()(source, mask, torch.tensor([[1, 4], [1, 5]])).sum().backward()
    assert not torch.equal(before, model.encoder.module.norm.running_mean)
    without = [name for name, one in model.named_parameters() if one.grad is None]
    assert without == ["encoder.module.classifier.weight", "encoder.module.classifier.bias"]
    frozen = [name for name, one in model.named_parameters() if not one.requires_grad]
    assert frozen == without


def test_trying_out_leaves_no_traces() -> None:
    """Neither in a normalisation's statistics nor in gradients nor in generators."""
    network, state = Network(), torch.get_rng_state()
    encoder(module=network)
    assert network.norm.num_batches_tracked == 0
    assert network.training
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_pictures_move_in_training_alone() -> None:
    source, mask = pictures()
    reader = encoder(shift=2, module=nn.Conv2d(3, 5, 1), method=None)
    inputs = VectorFrontend(source_size=3 * WIDTH, media="image")(source, mask)
    torch.manual_seed(0)
    assert not torch.equal(reader(*inputs).states, reader.eval()(*inputs).states)
    assert torch.equal(reader(*inputs).states, reader(*inputs).states)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"module": {"a": 1}}, "`encoder.module` must make an nn.Module, but makes a dict; "),
        ({"method": "extract"}, "`encoder.method` (extract) is no public method of Network; "),
        (
            {"method": None},
            "encoder.module (Network) does not map pictures (1, 3, 6, 4) to a grid (B, C, h, w) or "
            "to vectors (B, n, C) (",
        ),
        ({"method": "two"}, "encoder.module (Network) does not map pictures (1, 3, 6, 4) to a gr"),
        ({"method": "_apply"}, "`encoder.method` (_apply) is no public method of Network; correct"),
        (
            {"image_height": 10**7},
            "encoder=module reads pictures of at most 16,777,216 pixels, but",
        ),
        ({"mean": [0.5]}, "`encoder.mean` must have a number for each of the 3 channels of the "),
        ({"input_size": 13}, "The rows of pictures have 13 values, but `image_width` (4) times "),
        ({"positions": "rotary"}, "`positions` of a picture must be one of sinusoidal, learned, "),
    ],
)
def test_what_does_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}") as caught:
        encoder(**changes)
    assert "\n" not in str(caught.value)


def test_pictures_of_another_height_are_refused() -> None:
    with pytest.raises(InputError, match="reads pictures of 6 rows, but these have 5;"):
        encoder()(torch.zeros(1, 5, 3 * WIDTH), torch.ones(1, 5, dtype=torch.bool))
