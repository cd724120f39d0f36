"""Multi-head attention against torch's."""

import re

import pytest
import torch
from torch import nn

from tandem.attentions import MultiHeadAttention
from tandem.core.errors import InputError


def test_equals_torch(query, memory, randomized) -> None:
    ours = randomized(MultiHeadAttention(query_size=4, memory_size=3, num_heads=2, dropout=0.0))
    theirs = nn.MultiheadAttention(4, 2, kdim=3, vdim=3, batch_first=True).double()
    theirs.q_proj_weight.data = ours.query.weight
    theirs.k_proj_weight.data, theirs.v_proj_weight.data = ours.key_value.weight.chunk(2)
    theirs.in_proj_bias.data = torch.cat((ours.query.bias, ours.key_value.bias))
    nn.init.eye_(theirs.out_proj.weight)  # the output matrix is the decoder's
    nn.init.zeros_(theirs.out_proj.bias)
    states = memory.states
    expected, weights = theirs(query, states, states, key_padding_mask=~memory.mask)
    attended = ours(query, ours.start(memory))
    torch.testing.assert_close(attended.context, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(attended.weights(), weights, rtol=0, atol=1e-12)


def test_heads_must_divide() -> None:
    message = (
        "`num_heads` (3) must divide the size it splits (4); change `num_heads` or `hidden_size`."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        MultiHeadAttention(query_size=4, memory_size=3, num_heads=3, dropout=0.0)
