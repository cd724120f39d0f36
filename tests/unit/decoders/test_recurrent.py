"""Recurrent decoders against torch's cells, stepped by hand."""

import pytest
import torch
from torch import nn

from tandem.attentions import GeneralAttention
from tandem.bridges import LinearBridge
from tandem.decoders import RecurrentDecoder

CELLS = {"rnn": nn.RNNCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}


def make(randomized, cell: str, input_feeding: bool, attention=GeneralAttention, num_layers=2):
    return randomized(
        RecurrentDecoder(
            3,
            6,
            attention=attention,
            bridge=LinearBridge,
            cell=cell,
            hidden_size=5,
            num_layers=num_layers,
            input_feeding=input_feeding,
            output_size=4,
            dropout=0.0,
        )
    )


def cells(decoder: RecurrentDecoder, cell: str) -> list[nn.Module]:
    made = []
    for layer in decoder.stack.layers:
        made.append(CELLS[cell](layer.input_size, 5, dtype=torch.float64))
        for name, parameter in layer.named_parameters():
            getattr(made[-1], name.removesuffix("_l0")).data = parameter.data
    return made


@pytest.mark.parametrize("input_feeding", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_equals_cells_stepped_by_hand(memory, randomized, cell, input_feeding) -> None:
    decoder = make(randomized, cell, input_feeding)
    inputs = torch.randn(2, 3, 3, dtype=torch.float64, requires_grad=True)
    slots = list(decoder.bridge(memory.summary).unbind(1))
    step_size = 2 if cell == "lstm" else 1
    hidden = [tuple(slots[i : i + step_size]) for i in range(0, len(slots), step_size)]
    fed, expected = torch.zeros(2, 4, dtype=torch.float64), []
    for step in inputs.unbind(1):
        below = torch.cat((step, fed), 1) if input_feeding else step
        for index, advance in enumerate(cells(decoder, cell)):
            if cell == "lstm":
                hidden[index] = advance(below, hidden[index])
            else:
                hidden[index] = (advance(below, hidden[index][0]),)
            below = hidden[index][0]
        scores = torch.einsum("bq,qm,bsm->bs", below, decoder.attention.key.weight, memory.states)
        weights = scores.masked_fill(~memory.mask, -torch.inf).softmax(1)
        context = torch.einsum("bs,bsm->bm", weights, memory.states)
        fed = torch.tanh(decoder.combine(torch.cat((below, context), 1)))
        expected.append(fed)
    decoded = decoder(inputs, decoder.start(memory))
    torch.testing.assert_close(decoded.features, torch.stack(expected, 1), rtol=0, atol=1e-12)
    torch.testing.assert_close(decoded.weights()[:, -1], weights, rtol=0, atol=1e-12)
    part = torch.randn_like(decoded.features)
    leaves = [inputs, *decoder.bridge.parameters(), *decoder.attention.parameters()]
    actual = torch.autograd.grad((decoded.features * part).sum(), leaves)
    expected_gradients = torch.autograd.grad((torch.stack(expected, 1) * part).sum(), leaves)
    torch.testing.assert_close(actual, expected_gradients, rtol=0, atol=1e-12)


def test_without_attention_there_are_no_weights(memory, randomized, summary_attention) -> None:
    for input_feeding in (False, True):
        decoder = make(randomized, "gru", input_feeding, summary_attention)
        inputs = torch.zeros(2, 3, 3, dtype=torch.float64)
        assert decoder(inputs, decoder.start(memory)).weights is None


def test_sizes_given_to_the_parts(randomized, summary_attention, asked) -> None:
    decoder = make(randomized, "lstm", True, summary_attention)
    assert [(made.query_size, made.memory_size) for made in asked] == [(5, 6)]
    assert decoder.bridge.slots == 4  # hidden and cell of two layers
    assert decoder.output_size == 4
