"""Sublayers of a Transformer against torch's."""

import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tandem.core.errors import InputError
from tandem.layers.dropout import Dropout
from tandem.layers.scaled_dot_product import (
    attend,
    attention_weights,
    causal_mask,
    head_size,
    merge_heads,
    split_heads,
)
from tandem.layers.transformer import FeedForward, Residual, SelfAttention


def test_self_attention_equals_torch_under_a_causal_mask() -> None:
    ours = SelfAttention(8, num_heads=2, dropout=0.0, rotary=False).double()
    theirs = nn.MultiheadAttention(8, 2, batch_first=True).double()
    for parameter in ours.parameters():
        nn.init.normal_(parameter)
    theirs.in_proj_weight.data, theirs.in_proj_bias.data = ours.project.weight, ours.project.bias
    theirs.out_proj.weight.data, theirs.out_proj.bias.data = ours.output.weight, ours.output.bias
    states = torch.randn(2, 5, 8, dtype=torch.float64)
    mask = causal_mask(5, 0, 5, states.device)
    expected, _ = theirs(states, states, states, attn_mask=~mask)
    torch.testing.assert_close(ours(states, mask, None, 0)[0], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("rotary", [False, True], ids=["plain", "rotary"])
def test_weights_times_values_are_what_self_attention_gives(rotary: bool) -> None:
    layer = SelfAttention(8, num_heads=2, dropout=0.0, rotary=rotary).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    states = torch.randn(2, 5, 8, dtype=torch.float64)
    mask = torch.tensor([[True] * 5, [True, True, True, False, False]])[:, None, None]
    weights = layer.weights(states, mask, 3)  # (2, heads, 5, 5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 5).double(), rtol=0, atol=1e-12)
    assert (weights[1, :, :, 3:] == 0).all()
    values = split_heads(layer.project(states)[:, :, 16:], 2)
    expected = layer.output(merge_heads(weights @ values))
    torch.testing.assert_close(layer(states, mask, None, 3)[0], expected, rtol=0, atol=1e-12)


def test_attend_in_a_reduced_precision_is_near_the_exact_one() -> None:
    inputs = [torch.randn(2, 2, 4, 6, requires_grad=True) for _ in range(3)]
    mask = torch.tensor([[True, True, False, True]])
    exact = attend(*inputs, mask, Dropout(0.0))
    gradients = torch.autograd.grad(exact.sum(), inputs)
    torch.set_float32_matmul_precision("medium")
    try:
        rounded = attend(*inputs, mask, Dropout(0.0))
        rounded_gradients = torch.autograd.grad(rounded.sum(), inputs)
    finally:
        torch.set_float32_matmul_precision("highest")
    torch.testing.assert_close(rounded, exact, rtol=0, atol=0.05)
    torch.testing.assert_close(rounded_gradients, gradients, rtol=0, atol=0.05)


def test_causal_mask_sees_the_past_and_itself() -> None:
    expected = [[True, True, True, False, False], [True, True, True, True, False]]
    assert causal_mask(2, 2, 5, torch.device("cpu")).tolist() == expected


def test_attend_equals_its_weights_times_the_values() -> None:
    query, keys, values = torch.randn(3, 2, 2, 4, 6, dtype=torch.float64)
    mask = torch.tensor([[True, True, False, True]])
    weights = attention_weights(query, keys, mask)
    attended = attend(query, keys, values, mask, Dropout(0.5).eval())
    torch.testing.assert_close(attended, weights @ values, rtol=0, atol=1e-12)


def test_attend_with_dropout_keeps_the_mean() -> None:
    torch.manual_seed(0)
    query, keys, values = torch.randn(3, 1, 1, 4, 6, dtype=torch.float64)
    mask, dropout = torch.ones(1, 4, dtype=torch.bool), Dropout(0.25)
    many = torch.stack([attend(query, keys, values, mask, dropout) for _ in range(4000)])
    assert not torch.equal(many[0], many[1])
    torch.testing.assert_close(
        many.mean(0), attend(query, keys, values, mask, dropout.eval()), rtol=0, atol=0.06
    )


@pytest.mark.parametrize("num_heads", [0, 3])
def test_heads_must_divide(num_heads: int) -> None:
    message = (
        f"`num_heads` ({num_heads}) must divide the size it splits (8); change `num_heads` or "
        "`hidden_size`."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        head_size(8, num_heads)


def test_residual_before_and_after() -> None:
    states, change = torch.randn(2, 1, 3, 4, dtype=torch.float64)
    post, pre = Residual(4, "post", 0.0).double(), Residual(4, "pre", 0.0).double()
    assert post.before(states) is states
    torch.testing.assert_close(post.after(states, change), F.layer_norm(states + change, (4,)))
    torch.testing.assert_close(pre.before(states), F.layer_norm(states, (4,)))
    torch.testing.assert_close(pre.after(states, change), states + change)


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu"])
def test_feed_forward(activation: str) -> None:
    layer = FeedForward(3, 5, activation, dropout=0.0)
    inputs = torch.randn(2, 3)
    inner = getattr(F, activation)(inputs @ layer.expand.weight.t() + layer.expand.bias)
    expected = inner @ layer.contract.weight.t() + layer.contract.bias
    torch.testing.assert_close(layer(inputs), expected)


def test_unknown_norm_and_activation() -> None:
    with pytest.raises(InputError, match=r"^`norm` must be pre or post, but is 'rms'\.$"):
        Residual(4, "rms", 0.0)
    message = r"^`activation` must be one of relu, gelu, silu, but is 'tanh'\.$"
    with pytest.raises(InputError, match=message):
        FeedForward(4, 8, "tanh", 0.0)
