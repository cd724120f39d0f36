"""The Transformer decoder against torch's layers."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from tandem.attentions import MultiHeadAttention
from tandem.core.cache import BLOCK
from tandem.core.state import State
from tandem.decoders import TransformerDecoder
from tandem.decoders.transformer import DROP_EVERY, path_mask
from tandem.layers.positions import SinusoidalPositions


def make(randomized, norm: str, attention) -> TransformerDecoder:
    return randomized(
        TransformerDecoder(
            8,
            6,
            attention=attention,
            hidden_size=8,
            num_layers=2,
            num_heads=2,
            feed_forward_size=12,
            norm=norm,
            activation="gelu",
            positions="sinusoidal",
            max_length=0,
            input_dropout=0.0,
            dropout=0.0,
            attention_dropout=0.0,
            activation_dropout=0.0,
        )
    )


def torchs_layer(ours: nn.Module, norm: str) -> nn.TransformerDecoderLayer:
    """A layer of torch's with copied weights; it reads a memory of size 6."""
    layer = nn.TransformerDecoderLayer(
        8, 2, 12, 0.0, "gelu", batch_first=True, norm_first=norm == "pre", dtype=torch.float64
    )
    layer.multihead_attn = nn.MultiheadAttention(
        8, 2, kdim=6, vdim=6, batch_first=True, dtype=torch.float64
    )
    pairs = {
        layer.self_attn.out_proj: ours.self_attention.output,
        layer.multihead_attn.out_proj: ours.context,
        layer.linear1: ours.feed_forward.expand,
        layer.linear2: ours.feed_forward.contract,
        layer.norm1: ours.self_residual.norm,
        layer.norm2: ours.residual.norm,
        layer.norm3: ours.feed_forward_residual.norm,
    }
    for theirs, mine in pairs.items():
        theirs.load_state_dict(mine.state_dict())
    layer.self_attn.in_proj_weight.data = ours.self_attention.project.weight.data
    layer.self_attn.in_proj_bias.data = ours.self_attention.project.bias.data
    cross, asked = layer.multihead_attn, ours.attention
    cross.q_proj_weight.data = asked.query.weight.data
    cross.k_proj_weight.data, cross.v_proj_weight.data = asked.key_value.weight.data.chunk(2)
    cross.in_proj_bias.data = torch.cat((asked.query.bias.data, asked.key_value.bias.data))
    return layer


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_equals_torch(memory, randomized, norm: str) -> None:
    attention = partial(MultiHeadAttention, num_heads=2, dropout=0.0)
    decoder = make(randomized, norm, attention)
    inputs = torch.randn(2, 5, 8, dtype=torch.float64)
    states = SinusoidalPositions(8)(inputs * math.sqrt(8), 0)
    future = torch.ones(5, 5, dtype=torch.bool).triu(1)
    for layer in decoder.layers:
        states = torchs_layer(layer, norm)(
            states, memory.states, tgt_mask=future, memory_key_padding_mask=~memory.mask
        )
    decoded = decoder(inputs, decoder.start(memory))
    torch.testing.assert_close(decoded.features, decoder.norm(states), rtol=0, atol=1e-11)


def test_each_layer_has_its_attention(randomized, summary_attention, asked) -> None:
    make(randomized, "pre", summary_attention)
    assert [(made.query_size, made.memory_size) for made in asked] == [(8, 6)] * 2


@torch.inference_mode()
def test_the_cache_grows_with_each_step(memory, randomized, summary_attention) -> None:
    decoder = make(randomized, "pre", summary_attention)
    state = decoder.start(memory)
    for length in (1, 2, 3):
        state = decoder(torch.zeros(2, 1, 8, dtype=torch.float64), state).state
        offset, seen, *_ = state.carry
        assert offset == length
        assert seen.tolist() == [[True] * length] * 2
        assert [keys.length for keys, _ in state.fixed] == [length] * 2
        assert [keys.readable.shape for keys, _ in state.fixed] == [(2, 2, BLOCK, 4)] * 2


def test_hypotheses_of_a_source_share_a_cache(memory, randomized, summary_attention) -> None:
    decoder = make(randomized, "pre", summary_attention)
    step = torch.zeros(4, 1, 8, dtype=torch.float64)
    state = decoder(step, decoder.start(memory).repeat(2)).state
    state = decoder(step, state.reorder(torch.tensor([1, 1, 2, 3]))).state
    assert [keys.length for keys, _ in state.fixed] == [4] * 2
    assert [len(keys.buffer) for keys, _ in state.fixed] == [2] * 2  # a row a source
    assert state.carry[1].int().tolist() == [
        [0, 1, 1, 0],
        [0, 1, 0, 1],
        [1, 0, 1, 0],
        [0, 1, 0, 1],
    ]


def test_path_mask_shows_each_hypothesis_its_own_past() -> None:
    seen = torch.tensor([[False, True], [True, False]])  # of one source
    assert path_mask(seen, 2, 1, 7)[0, 0].int().tolist() == [
        [0, 1, 1, 0, 0, 0, 0],
        [0, 1, 1, 1, 0, 0, 0],
        [1, 0, 0, 0, 1, 0, 0],
        [1, 0, 0, 0, 1, 1, 0],
    ]


@torch.inference_mode()
def test_what_no_hypothesis_sees_is_dropped(memory, randomized, summary_attention) -> None:
    decoder = make(randomized, "pre", summary_attention)
    steps = torch.randn(4, DROP_EVERY + 3, 8, dtype=torch.float64)
    one_past = torch.tensor([1, 1, 2, 2])
    kept, dropped = (decoder.start(memory).repeat(2) for _ in range(2))
    for position, step in enumerate(steps.split(1, dim=1)):
        offset, seen, _, attention_states = kept.carry
        never = State(kept.fixed, (offset, seen, 0, attention_states))
        expected, actual = decoder(step, never), decoder(step, dropped)
        torch.testing.assert_close(actual.features, expected.features, rtol=0, atol=1e-12)
        kept, dropped = (part.state.reorder(one_past) for part in (expected, actual))
        lengths = [state.fixed[0][0].length for state in (kept, dropped)]
        assert lengths[0] == 2 * (position + 1)
        if position >= DROP_EVERY:  # of two hypotheses one went on, at each step
            assert lengths[1] == lengths[0] - DROP_EVERY
