"""The Conformer encoder against its equations, step by step with torch's functions."""

import math
import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tandem.core.errors import InputError
from tandem.encoders import ConformerEncoder
from tandem.layers.positions import SinusoidalPositions

MASK = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])


def make(**changes) -> ConformerEncoder:
    options = {
        "hidden_size": 8,
        "num_layers": 2,
        "num_heads": 2,
        "feed_forward_size": 12,
        "kernel_size": 3,
        "positions": "sinusoidal",
        "max_length": 0,
        "input_dropout": 0.0,
        "dropout": 0.0,
        "attention_dropout": 0.0,
        "activation_dropout": 0.0,
    }
    encoder = ConformerEncoder(8, **{**options, **changes}).double()
    for parameter in encoder.parameters():
        nn.init.normal_(parameter, std=0.5)
    return encoder


def attended(module, states: torch.Tensor) -> torch.Tensor:
    """Self-attention of one unpadded source (S, H) by torch's own module."""
    theirs = nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.float64)
    theirs.in_proj_weight.data = module.project.weight.data
    theirs.in_proj_bias.data = module.project.bias.data
    theirs.out_proj.load_state_dict(module.output.state_dict())
    return theirs(states[None], states[None], states[None])[0][0]


def convolved(module, states: torch.Tensor) -> torch.Tensor:
    """The convolution module of one unpadded source (S, H), position by position."""
    left, right = module.expand(states).chunk(2, dim=-1)
    gated = left * torch.sigmoid(right)
    kernel, rows = module.depthwise.weight[:, 0], []
    for place in range(len(states)):
        seen = [
            kernel[:, shift + 1] * gated[place + shift]
            for shift in (-1, 0, 1)
            if 0 <= place + shift < len(states)
        ]
        rows.append(torch.stack(seen).sum(0) + module.depthwise.bias)
    normed = module.norm(torch.stack(rows))
    return module.contract(normed * torch.sigmoid(normed))


def test_equals_the_papers_equations() -> None:
    encoder, inputs = make(), torch.randn(2, 6, 8, dtype=torch.float64)
    memory = encoder(inputs, MASK)
    positioned = SinusoidalPositions(8)(inputs * math.sqrt(8), 0)
    for row, length in enumerate((6, 4)):
        x = positioned[row, :length]
        for layer in encoder.layers:
            norms = [
                getattr(layer, f"{name}_residual").norm
                for name in ("first", "attention", "convolution", "second")
            ]
            x = x + layer.first.contract(F.silu(layer.first.expand(norms[0](x)))) / 2
            x = x + attended(layer.attention, norms[1](x))
            x = x + convolved(layer.convolution, norms[2](x))
            x = x + layer.second.contract(F.silu(layer.second.expand(norms[3](x)))) / 2
            x = layer.norm(x)
        torch.testing.assert_close(memory.states[row, :length], x, rtol=0, atol=1e-10)
        torch.testing.assert_close(memory.summary[row], x.mean(0), rtol=0, atol=1e-10)


def test_rotary_positions_tell_the_order() -> None:
    """With kernels of one position only attention can know it."""
    inputs = torch.randn(1, 4, 8, dtype=torch.float64)
    mask, moved = torch.ones(1, 4, dtype=torch.bool), torch.tensor([1, 0, 2, 3])
    for positions, differs in (("none", False), ("rotary", True)):
        encoder = make(positions=positions, kernel_size=1)
        before, after = (encoder(part, mask).states for part in (inputs, inputs[:, moved]))
        assert ((before[:, moved] - after).abs().max() > 1e-6) == differs


def test_kernel_size_must_be_odd() -> None:
    message = (
        "`encoder.kernel_size` must be odd, so that a position sees as far left as right, but is 4."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        make(kernel_size=4)
