"""The stack of recurrent layers against torch's own."""

import pytest
import torch
from torch import nn

from tandem.core.errors import InputError
from tandem.layers.recurrent import RecurrentStack

KINDS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def stack(cell: str = "gru", num_layers: int = 2) -> RecurrentStack:
    return RecurrentStack(
        3, cell=cell, hidden_size=4, num_layers=num_layers, bidirectional=False, dropout=0.0
    )


@pytest.mark.parametrize("cell", KINDS)
def test_forward_equals_torch(cell: str) -> None:
    ours = stack(cell).double()
    theirs = KINDS[cell](3, 4, num_layers=2, batch_first=True).double()
    for index, layer in enumerate(ours.layers):
        for name, parameter in layer.named_parameters():
            getattr(theirs, name.replace("l0", f"l{index}")).data.copy_(parameter.data)
    inputs = torch.randn(2, 5, 3, dtype=torch.float64)
    hidden = torch.randn(2, 2 * ours.slots, 4, dtype=torch.float64)
    slots = hidden.transpose(0, 1).contiguous()
    given = (slots[0::2].contiguous(), slots[1::2].contiguous()) if cell == "lstm" else slots
    expected, last = theirs(inputs, given)
    states, after = ours(inputs, hidden)
    torch.testing.assert_close(states, expected, rtol=0, atol=1e-12)
    merged = torch.stack(last, 1).flatten(0, 1) if cell == "lstm" else last
    torch.testing.assert_close(after, merged.transpose(0, 1), rtol=0, atol=1e-12)


def test_an_lstm_starts_by_remembering() -> None:
    biases = dict(stack("lstm", 1).layers[0].named_parameters())
    total = biases["bias_ih_l0"] + biases["bias_hh_l0"]
    assert total.tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8  # input, forget, cell, output


@pytest.mark.parametrize("cell", KINDS)
def test_recurrent_weights_start_orthogonal(cell: str) -> None:
    for gate in stack(cell, 1).layers[0].weight_hh_l0.view(-1, 4, 4):
        torch.testing.assert_close(gate @ gate.t(), torch.eye(4), rtol=0, atol=1e-5)


def test_bad_options() -> None:
    with pytest.raises(InputError, match=r"^`cell` must be one of rnn, lstm, gru, but is 'gur'\.$"):
        stack("gur")
    with pytest.raises(InputError, match=r"^`num_layers` must be at least 1, but is 0\.$"):
        stack(num_layers=0)
