"""Recurrent encoders against torch's own."""

import re
from typing import Any

import pytest
import torch
from torch import nn

from tandem.core.errors import InputError
from tandem.encoders import RecurrentEncoder

KINDS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def build(**options: Any) -> RecurrentEncoder:
    """An encoder of vectors of 3 into states of 4, with some options."""
    usual = {"cell": "gru", "num_layers": 1, "bidirectional": True, "reverse": False}
    off = {"dropout": 0.0, "output_dropout": 0.0}
    return RecurrentEncoder(3, **{"hidden_size": 4, **usual, **off, **options})


@pytest.mark.parametrize(
    ("bidirectional", "reverse"), [(True, False), (False, False), (False, True)]
)
@pytest.mark.parametrize("cell", KINDS)
def test_equals_torch_on_each_source_alone(cell: str, bidirectional: bool, reverse: bool) -> None:
    encoder = build(cell=cell, num_layers=2, bidirectional=bidirectional, reverse=reverse).double()
    size = 2 if bidirectional else 4
    torchs = KINDS[cell](3, size, 2, batch_first=True, bidirectional=bidirectional).double()
    for index, layer in enumerate(encoder.stack.layers):
        for name, parameter in layer.named_parameters():
            nn.init.normal_(parameter)
            getattr(torchs, name.replace("l0", f"l{index}")).data.copy_(parameter.data)
    inputs, lengths = torch.randn(3, 5, 3, dtype=torch.float64), (5, 1, 3)
    memory = encoder(inputs, torch.arange(5) < torch.tensor(lengths).unsqueeze(1))
    for row, length in enumerate(lengths):
        source = inputs[row, :length]
        states, last = torchs(source.flip(0) if reverse else source)
        states = states.flip(0) if reverse else states
        hidden = last[0] if cell == "lstm" else last
        summary = hidden[-2:].flatten() if bidirectional else hidden[-1]
        torch.testing.assert_close(memory.states[row, :length], states, rtol=0, atol=1e-12)
        torch.testing.assert_close(memory.summary[row], summary, rtol=0, atol=1e-12)


def test_dropout_stands_between_layers() -> None:
    torch.manual_seed(0)
    inputs, mask = torch.randn(2, 5, 3), torch.ones(2, 5, dtype=torch.bool)
    for num_layers, changes in ((1, False), (2, True)):
        encoder = build(num_layers=num_layers, dropout=0.5)
        first, second = encoder(inputs, mask).states, encoder(inputs, mask).states
        assert torch.equal(first, second) is not changes


def test_output_dropout_leaves_the_summary_alone() -> None:
    torch.manual_seed(0)
    encoder = build(output_dropout=0.5)
    inputs, mask = torch.randn(20, 5, 3), torch.ones(20, 5, dtype=torch.bool)
    dropped, kept = encoder(inputs, mask), encoder.eval()(inputs, mask)
    is_zero = dropped.states == 0
    assert 0.4 < is_zero.float().mean() < 0.6
    torch.testing.assert_close(dropped.states, (2 * kept.states).masked_fill(is_zero, 0))
    assert torch.equal(dropped.summary, kept.summary)


@pytest.mark.parametrize(
    ("hidden_size", "reverse", "message"),
    [
        (
            5,
            False,
            "`encoder.hidden_size` (5) must be even, since each of two directions gets half of "
            "it; change it or set encoder.bidirectional=false.",
        ),
        (
            4,
            True,
            "`encoder.reverse` reverses the only direction, but the encoder has two; set "
            "encoder.bidirectional=false or encoder.reverse=false.",
        ),
    ],
)
def test_two_directions_refuse(hidden_size: int, reverse: bool, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        build(hidden_size=hidden_size, reverse=reverse)
