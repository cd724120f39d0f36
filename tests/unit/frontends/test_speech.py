"""The speech frontend: convolutions written out, lengths, and padding that nobody sees."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.masks import lengths_to_mask
from tandem.frontends import SpeechFrontend

KINDS = [("none", 1), ("conv2", 2), ("conv4", 4)]


def frontend(**changes: Any) -> SpeechFrontend:
    options = {
        **{"source_size": 6, "stack": 1, "embedding_size": 5, "subsampling": "conv4"},
        **{"channels": 3, "time_masks": 0, "time_width": 0, "time_share": 1.0},
        **{"frequency_masks": 0, "frequency_width": 0, "dropout": 0.0},
    }
    torch.manual_seed(0)
    return SpeechFrontend(**{**options, **changes}).double().eval()


def source_of(lengths: list[int], width: int = 6) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    mask = lengths_to_mask(torch.tensor(lengths), max(lengths))
    return torch.randn(len(lengths), max(lengths), width, dtype=torch.float64), mask


def test_one_convolution_by_hand() -> None:
    """Each position is a sum over 3 x 3 neighbours, with zeros outside, at every second place."""
    layer = frontend(subsampling="conv2", source_size=4, embedding_size=2)
    source, mask = source_of([5], width=4)
    weight, bias = layer.convolutions[0].weight, layer.convolutions[0].bias
    assert isinstance(weight, Tensor)
    assert isinstance(bias, Tensor)
    padded = torch.zeros(7, 6, dtype=torch.float64)
    padded[1:6, 1:5] = source[0]
    expected = torch.empty(3, 2, 3, dtype=torch.float64)  # (S', bands, channels)
    for time in range(3):
        for band in range(2):
            window = padded[2 * time : 2 * time + 3, 2 * band : 2 * band + 3]
            expected[time, band] = ((weight[:, 0] * window).sum((1, 2)) + bias).relu()
    inputs, new_mask = layer(source, mask)
    torch.testing.assert_close(inputs[0], layer.output(expected.flatten(1)))
    assert new_mask.tolist() == [[True, True, True]]


@pytest.mark.parametrize(("kind", "stride"), KINDS)
def test_lengths(kind: str, stride: int) -> None:
    layer = frontend(subsampling=kind)
    assert layer.stride == stride
    lengths = list(range(1, 14))
    inputs, mask = layer(*source_of(lengths))
    assert inputs.shape == (13, -(-13 // stride), layer.output_size)
    assert mask.shape == inputs.shape[:2]
    assert mask.sum(1).tolist() == [-(-length // stride) for length in lengths]


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
@pytest.mark.parametrize("length", range(1, 9))
def test_padding_is_invisible(kind: str, length: int) -> None:
    """Alone, or beside a longer one with anything in the padding: the same vectors."""
    layer = frontend(subsampling=kind)
    alone, whole = layer(*source_of([length]))
    assert whole.all()
    source, _ = source_of([length])
    for filler in (0.0, 1e3, float("nan")):
        padded = torch.full((2, 19, 6), filler, dtype=torch.float64)
        padded[0, :length] = source[0]
        padded[1] = 1.0
        mask = lengths_to_mask(torch.tensor([length, 19]), 19)
        inputs, new_mask = layer(padded, mask)
        torch.testing.assert_close(inputs[0][new_mask[0]], alone[0], rtol=0, atol=1e-12)


def test_padding_is_invisible_to_gradients() -> None:
    layer = frontend()
    source, mask = source_of([3, 11])
    source.requires_grad_()
    inputs, new_mask = layer(source, mask)
    inputs[new_mask].sum().backward()
    assert source.grad is not None
    assert (source.grad[~mask] == 0).all()
    assert (source.grad[mask] != 0).any(1).all()


def test_stacked_frames_are_channels() -> None:
    """A vector of two frames gives one plane each to the first convolution."""
    layer = frontend(subsampling="conv2", source_size=8, stack=2)
    assert layer.convolutions[0].weight.shape == (3, 2, 3, 3)
    source, mask = source_of([4], width=8)
    planes = torch.stack((source[..., :4], source[..., 4:]), dim=1)  # (B, 2, S, 4)
    expected = layer.convolutions[0](planes).relu().permute(0, 2, 3, 1).flatten(2)
    torch.testing.assert_close(layer(source, mask)[0], layer.output(expected))


def test_augmentation_in_training_only() -> None:
    layer = frontend(subsampling="none", time_masks=1, time_width=30)
    torch.nn.init.eye_(layer.output.weight)
    source, mask = source_of([40])
    assert not (layer(source, mask)[0] == 0).all(2).any()
    layer.train()
    torch.manual_seed(0)
    assert (layer(source, mask)[0] == 0).all(2).any()


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
def test_results_start_as_small_as_embeddings(kind: str) -> None:
    layer = frontend(subsampling=kind, source_size=40, channels=32, embedding_size=64)
    inputs, _ = layer(*source_of([200], width=40))
    assert 0.6 < inputs.std().item() * 8 < 1.6  # 8 is the root of the size


def test_options_that_cannot_be() -> None:
    with pytest.raises(InputError, match=r"`frontend.subsampling` \(conv8\) must be one of none,"):
        frontend(subsampling="conv8")
    with pytest.raises(InputError, match=r"`frontend.stack` \(4\) must divide the 6 numbers"):
        frontend(stack=4)
    with pytest.raises(InputError, match=r"`frontend.channels` must be at least 1, but is 0"):
        frontend(channels=0)
