"""The convolutional encoder against torch's convolution."""

import math
import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tandem.core.errors import InputError
from tandem.encoders import CNNEncoder
from tandem.layers.positions import SinusoidalPositions


def make(kernel_size: int = 3, *, scale_positions: bool = True) -> CNNEncoder:
    encoder = CNNEncoder(
        6,
        hidden_size=4,
        num_layers=2,
        kernel_size=kernel_size,
        positions="sinusoidal",
        scale_positions=scale_positions,
        max_length=0,
        input_dropout=0.0,
        dropout=0.0,
    ).double()
    for parameter in encoder.parameters():
        nn.init.normal_(parameter)
    return encoder


@pytest.mark.parametrize(
    ("kernel_size", "scale_positions"), [(1, True), (3, True), (5, True), (3, False)]
)
def test_equals_torch_on_each_source_alone(kernel_size: int, scale_positions: bool) -> None:
    encoder, root = make(kernel_size, scale_positions=scale_positions), math.sqrt(0.5)
    positions = SinusoidalPositions(6, 6**-0.5 if scale_positions else 1.0)
    inputs, lengths = torch.randn(3, 6, 6, dtype=torch.float64), (6, 1, 3)
    memory = encoder(inputs, torch.arange(6) < torch.tensor(lengths).unsqueeze(1))
    for row, length in enumerate(lengths):
        placed = positions(inputs[row : row + 1, :length], 0)
        embedded = encoder.input(placed).transpose(1, 2)  # (1, H, S)
        states = embedded
        for layer in encoder.convolutions:
            kernel = layer.linear.weight.view(8, kernel_size, 4).transpose(1, 2)
            convolved = F.conv1d(states, kernel, layer.linear.bias, padding=kernel_size // 2)
            states = (states + F.glu(convolved, dim=1)) * root
        expected = ((states + embedded) * root)[0].t()
        torch.testing.assert_close(memory.states[row, :length], expected, rtol=0, atol=1e-12)
        torch.testing.assert_close(memory.summary[row], expected.mean(0), rtol=0, atol=1e-12)


def test_kernel_size_must_be_odd() -> None:
    message = (
        "`encoder.kernel_size` must be odd, so that a position sees as far left as right, but is 4."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        make(kernel_size=4)
