"""The convolutional decoder against torch's causal convolution."""

import math

import pytest
import torch
import torch.nn.functional as F

from tandem.decoders import CNNDecoder
from tandem.layers.positions import SinusoidalPositions

ROOT = math.sqrt(0.5)


def make(randomized, attention, kernel_size: int) -> CNNDecoder:
    return randomized(
        CNNDecoder(
            4,
            6,
            attention=attention,
            hidden_size=5,
            num_layers=2,
            kernel_size=kernel_size,
            positions="sinusoidal",
            scale_positions=True,
            max_length=0,
            output_size=7,
            input_dropout=0.0,
            dropout=0.0,
        )
    )


@pytest.mark.parametrize("kernel_size", [1, 2, 3])
def test_equals_causal_conv1d(memory, randomized, summary_attention, kernel_size) -> None:
    decoder = make(randomized, summary_attention, kernel_size)
    inputs = torch.randn(2, 6, 4, dtype=torch.float64)
    embedded = decoder.input(SinusoidalPositions(4, 0.5)(inputs, 0))
    states = embedded
    for layer in decoder.layers:
        kernel = layer.convolution.linear.weight.view(10, kernel_size, 5).transpose(1, 2)
        padded = F.pad(states.transpose(1, 2), (kernel_size - 1, 0))
        convolved = F.glu(F.conv1d(padded, kernel, layer.convolution.linear.bias), dim=1)
        context = layer.context(memory.summary).unsqueeze(1)
        states = (states + (convolved.transpose(1, 2) + context) * ROOT) * ROOT
    decoded = decoder(inputs, decoder.start(memory))
    expected = decoder.output(states)
    torch.testing.assert_close(decoded.features, expected, rtol=0, atol=1e-12)


def test_attention_is_asked_with_convolved_plus_embedded(
    memory, randomized, summary_attention, monkeypatch
) -> None:
    decoder = make(randomized, summary_attention, kernel_size=1)
    layer = decoder.layers[0]
    queries = []
    real = layer.attention.forward
    monkeypatch.setattr(
        layer.attention, "forward", lambda query, state: queries.append(query) or real(query, state)
    )
    inputs = torch.randn(2, 3, 4, dtype=torch.float64)
    decoder(inputs, decoder.start(memory))
    embedded = decoder.input(SinusoidalPositions(4, 0.5)(inputs, 0))
    expected = (layer.query(layer.convolution(embedded)) + embedded) * ROOT
    torch.testing.assert_close(queries[0], expected, rtol=0, atol=1e-12)


def test_each_layer_has_its_attention(randomized, summary_attention, asked) -> None:
    make(randomized, summary_attention, kernel_size=3)
    assert [(made.query_size, made.memory_size) for made in asked] == [(5, 6)] * 2
