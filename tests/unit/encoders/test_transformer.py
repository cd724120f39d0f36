"""The Transformer encoder against torch's layers."""

import math

import pytest
import torch
from torch import nn

from tandem.encoders import TransformerEncoder
from tandem.layers.positions import SinusoidalPositions

SHAPE = {
    "num_heads": 2,
    "feed_forward_size": 12,
    "positions": "sinusoidal",
    "max_length": 0,
    "input_dropout": 0.0,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
}


def torchs_layer(ours: nn.Module, norm: str, activation: str) -> nn.TransformerEncoderLayer:
    """A layer of torch's with copied weights."""
    layer = nn.TransformerEncoderLayer(
        8, 2, 12, 0.0, activation, batch_first=True, norm_first=norm == "pre", dtype=torch.float64
    )
    pairs = {
        layer.self_attn.out_proj: ours.attention.output,
        layer.linear1: ours.feed_forward.expand,
        layer.linear2: ours.feed_forward.contract,
        layer.norm1: ours.attention_residual.norm,
        layer.norm2: ours.feed_forward_residual.norm,
    }
    for theirs, mine in pairs.items():
        theirs.load_state_dict(mine.state_dict())
    layer.self_attn.in_proj_weight.data = ours.attention.project.weight.data
    layer.self_attn.in_proj_bias.data = ours.attention.project.bias.data
    return layer


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_equals_torch(norm: str, activation: str) -> None:
    encoder = TransformerEncoder(
        8, hidden_size=8, num_layers=2, norm=norm, activation=activation, **SHAPE
    ).double()
    for parameter in encoder.parameters():
        nn.init.normal_(parameter, std=0.5)
    inputs = torch.randn(2, 5, 8, dtype=torch.float64)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    memory = encoder(inputs, mask)
    states = SinusoidalPositions(8)(inputs * math.sqrt(8), 0)
    for layer in encoder.layers:
        states = torchs_layer(layer, norm, activation)(states, src_key_padding_mask=~mask)
    states = encoder.norm(states)
    torch.testing.assert_close(memory.states[mask], states[mask], rtol=0, atol=1e-12)
    torch.testing.assert_close(memory.summary[1], states[1, :3].mean(0), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("norm", "kind"), [("pre", nn.LayerNorm), ("post", nn.Identity)])
def test_only_pre_norm_needs_a_last_norm(norm: str, kind: type[nn.Module]) -> None:
    encoder = TransformerEncoder(
        8, hidden_size=8, num_layers=1, norm=norm, activation="relu", **SHAPE
    )
    assert type(encoder.norm) is kind


def test_inputs_of_another_size_are_mapped() -> None:
    encoder = TransformerEncoder(
        5, hidden_size=8, num_layers=1, norm="pre", activation="silu", **SHAPE
    )
    memory = encoder(torch.randn(2, 3, 5), torch.ones(2, 3, dtype=torch.bool))
    assert memory.states.shape == (2, 3, 8)
