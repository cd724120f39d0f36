"""Frontends for pictures: against PyTorch's own convolutions, and what must be invisible."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.frontends import CNNStemFrontend, Frontend, PatchFrontend

COMMON = {
    "source_size": 12,
    "embedding_size": 8,
    "image_height": 8,
    "image_width": 4,
    "channels": 3,
    "positions": "none",
    "shift": 0,
    "dropout": 0.0,
}
Make = Callable[..., Frontend]


def patches(**changes: Any) -> PatchFrontend:
    return PatchFrontend(**{**COMMON, "patch_size": 2, **changes})


def cnn_stem(**changes: Any) -> CNNStemFrontend:
    return CNNStemFrontend(**{**COMMON, "stage_sizes": [6, 10], "num_blocks": 1, **changes})


BOTH = pytest.mark.parametrize("make", [patches, cnn_stem])


def pictures(batch: int = 2, rows: int = 8) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (batch, rows, 12), dtype=torch.uint8, generator=generator)


def whole(source: Tensor) -> Tensor:
    return torch.ones(source.shape[:2], dtype=torch.bool)


def test_patches_are_a_convolution_whose_stride_is_its_size() -> None:
    frontend = patches().double()
    source = pictures()
    inputs, mask = frontend(source, whole(source))
    image = source.double().view(2, 8, 4, 3).permute(0, 3, 1, 2) / 127.5 - 1
    kernel = frontend.projection.weight.view(8, 2, 2, 3).permute(0, 3, 1, 2)
    expected = torch.nn.functional.conv2d(image, kernel, frontend.projection.bias, stride=2)
    torch.testing.assert_close(inputs, expected.flatten(2).transpose(1, 2) / 8**0.5)
    assert mask.shape == inputs.shape[:2] == (2, 8)
    assert mask.all()


def test_cnn_stem_by_hand() -> None:
    """One stage without blocks: convolution, norm, projection."""
    frontend = cnn_stem(stage_sizes=[5], num_blocks=0).double()
    source = pictures()
    inputs, _ = frontend(source, whole(source))
    image = source.double().view(2, 8, 4, 3).permute(0, 3, 1, 2) / 127.5 - 1
    shrunk = frontend.stages[0].shrink(image).permute(0, 2, 3, 1)  # (B, 4, 2, 5)
    normed = (shrunk - shrunk.mean(-1, keepdim=True)) / (
        shrunk.var(-1, unbiased=False, keepdim=True) + 1e-5
    ).sqrt()
    expected = normed @ frontend.projection.weight.T + frontend.projection.bias
    torch.testing.assert_close(inputs, expected.flatten(1, 2) / 8**0.5)


@BOTH
@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "none"])
@pytest.mark.parametrize("real", [1, 2, 3, 4, 5, 7])
def test_padding_is_invisible(make: Make, positions: str, real: int) -> None:
    torch.manual_seed(0)
    frontend = make(positions=positions).double().eval()
    alone, alone_mask = frontend(pictures()[:, :real], whole(pictures()[:, :real]))
    mask = torch.arange(8).expand(2, 8) < real
    for content in (pictures(), pictures().flip(0, 1)):
        content[:, :real] = pictures()[:, :real]
        padded, padded_mask = frontend(content, mask)
        count = int(alone_mask[0].sum())
        assert padded_mask.sum(1).tolist() == [count, count]
        assert padded_mask[:, :count].all()
        torch.testing.assert_close(padded[:, :count], alone[:, :count], rtol=0, atol=1e-12)


@BOTH
@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_places_differ_on_an_even_picture(make: Make, positions: str) -> None:
    torch.manual_seed(0)
    frontend = make(positions=positions).eval()
    source = torch.full((1, 8, 12), 99, dtype=torch.uint8)
    inputs, _ = frontend(source, whole(source))
    distances = torch.cdist(inputs[0], inputs[0]) + torch.eye(inputs.size(1))
    assert distances.min() > 0.05


@BOTH
@pytest.mark.parametrize("rows", [1, 5, 8])
def test_the_grid_tells_the_sequence(make: Make, rows: int) -> None:
    frontend = make(embedding_size=12, image_width=3, source_size=9, channels=3)
    source = torch.zeros(1, rows, 9, dtype=torch.uint8)
    inputs, mask = frontend(source, whole(source))
    down, across = frontend.grid(rows)
    assert inputs.shape == (1, down * across, 12)
    assert mask.shape == (1, down * across)
    assert mask.all()
    assert frontend.table is None
    assert frontend.output_size == 12


def test_grids() -> None:
    assert patches(patch_size=3).grid(8) == (3, 2)
    assert cnn_stem(stage_sizes=[4, 4]).grid(8) == (2, 1)
    assert cnn_stem(stage_sizes=[4]).grid(5) == (3, 2)


@BOTH
def test_a_change_of_one_pixel_reaches_its_place(make: Make) -> None:
    """Rows of the sequence are rows of the picture."""
    frontend = make().double().eval()
    source = pictures(1)
    before, _ = frontend(source, whole(source))
    changed = source.clone()
    changed[0, 7, 11] ^= 255  # the lowest row's last pixel
    after, _ = frontend(changed, whole(source))
    moved = (before - after).abs().sum(-1)[0]
    assert int(moved.argmax()) == len(moved) - 1
    if make is patches:
        assert int((moved > 0).sum()) == 1


@BOTH
def test_bytes_and_floats_are_the_same(make: Make) -> None:
    frontend = make().eval()
    source = pictures()
    expected, _ = frontend(source, whole(source))
    torch.testing.assert_close(frontend(source.float(), whole(source))[0], expected)


@BOTH
def test_every_parameter_learns(make: Make) -> None:
    torch.manual_seed(0)
    frontend = make(positions="learned")
    inputs, _ = frontend(pictures(), whole(pictures()))
    inputs.square().sum().backward()
    for name, parameter in frontend.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@BOTH
def test_dropout_in_training(make: Make) -> None:
    torch.manual_seed(0)
    frontend = make(dropout=0.5)
    inputs, _ = frontend(pictures(50), whole(pictures(50)))
    assert 0.4 < (inputs == 0).float().mean() < 0.6


def test_shift_moves_whole_pictures_in_training_only() -> None:
    torch.manual_seed(0)
    pixels = patches(shift=2).pixels
    source = pictures(1).expand(200, -1, -1)
    image = source.view(200, 8, 4, 3)
    steps = set()
    for moved in pixels(source, whole(source), torch.float64):
        found = [
            (down, across)
            for down in range(-2, 3)
            for across in range(-2, 3)
            if torch.equal(moved, (expected(image[0], down, across).double() / 127.5 - 1))
        ]
        assert len(found) == 1
        steps.add(found[0])
    assert len(steps) == 25
    pixels.eval()
    assert torch.equal(pixels(source, whole(source), torch.float64), image.double() / 127.5 - 1)


def expected(image: Tensor, down: int, across: int) -> Tensor:
    """One picture moved by repeating its edges, made with padding instead of indices."""
    grown = torch.nn.functional.pad(
        image.permute(2, 0, 1)[None].float(), (2, 2, 2, 2), mode="replicate"
    )
    return grown[0, :, 2 + down : 10 + down, 2 + across : 6 + across].permute(1, 2, 0)


def test_shift_never_brings_padding_in() -> None:
    torch.manual_seed(0)
    pixels = patches(shift=3).pixels
    source = torch.full((50, 8, 12), 255, dtype=torch.uint8)
    source[:, :4] = 0
    mask = torch.arange(8).expand(50, 8) < 4
    assert (pixels(source, mask, torch.float32)[:, :4] == -1).all()


@pytest.mark.parametrize(
    ("make", "changes", "message"),
    [
        (
            patches,
            {"patch_size": 5},
            "`frontend.patch_size` (5) must be at least 1 and at most the shorter side of the "
            "pictures, which are 8 x 4 pixels.",
        ),
        (
            patches,
            {"source_size": 13},
            "The rows of pictures have 13 values, but `image_width` (4) times "
            "`channels` (3) is 12; let both follow `features`.",
        ),
        (cnn_stem, {"shift": -1}, "`shift` of pictures must be at least 0, but is -1."),
        (
            cnn_stem,
            {"stage_sizes": []},
            "`frontend.stage_sizes` must list the channels of at least one stage, each at least "
            "1, but is [].",
        ),
        (
            cnn_stem,
            {"positions": "rotary"},
            "`positions` of a picture must be one of sinusoidal, learned, none, but is 'rotary'.",
        ),
        (
            patches,
            {"positions": "sinusoidal", "embedding_size": 6},
            "Sinusoidal positions on two axes need vectors whose size is divisible by 4, but "
            "theirs is 6; change it or set `positions` to learned.",
        ),
    ],
)
def test_options_that_cannot_be(make: Make, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        make(**changes)
