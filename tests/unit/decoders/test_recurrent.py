"""Recurrent decoders against torch's cells, stepped by hand."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch._dynamo.testing import CompileCounter
from torch.utils._python_dispatch import TorchDispatchMode

from tandem.attentions import GeneralAttention, LocationAttention, MonotonicLocalAttention
from tandem.bridges import LinearBridge
from tandem.core.memory import Memory
from tandem.decoders import RecurrentDecoder

CELLS = {"rnn": nn.RNNCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}


WALKING = {
    "location": partial(LocationAttention, size=4, num_filters=2, kernel_size=3, cumulative=True),
    "local_m": partial(MonotonicLocalAttention, half_width=2),
}


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


# Else rows and positions that are equally many would have to be so later, too.
@torch.fx.experimental._config.patch(use_duck_shape=False)
@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")
@pytest.mark.parametrize("attention", ["location", "local_m"])
def test_steps_share_a_compiled_graph(memory, randomized, attention, monkeypatch) -> None:
    """Whatever the rows and positions, and if the attention carries a number; but the first weights
    that location-aware attention looks at have no gradient.
    """
    decoder = make(randomized, "gru", True, WALKING[attention])
    graphs, plain = CompileCounter(), decoder._step
    step = torch.compile(plain, dynamic=True, fullgraph=True, backend=graphs)
    for rows, length in ((2, 3), (4, 6)):
        chosen = torch.arange(rows) % 2
        state = decoder.start(
            Memory(memory.states[chosen], memory.mask[chosen], memory.summary[chosen])
        )
        inputs = torch.randn(rows, length, 3, dtype=torch.float64, requires_grad=True)
        results = []
        for function in (plain, step):
            monkeypatch.setattr(decoder, "_step", function)
            features = decoder(inputs, state).features
            total = features.square().sum()
            leaves = [inputs, *decoder.stack.parameters(), *decoder.attention.parameters()]
            gradients = torch.autograd.grad(total, leaves, retain_graph=True)
            results.append((features.detach(), *gradients))
        torch.testing.assert_close(*results, rtol=0, atol=1e-12)
    assert graphs.frame_count == {"location": 2, "local_m": 1}[attention]


class Operations(TorchDispatchMode):
    """Counts what a device is asked to compute: operations but for views and new memory."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = op.overloadpacket.__name__
        self.count += not (op.is_view or "empty" in name or name in ("_unsafe_view", "detach"))
        return op(*args, **(kwargs or {}))


def operations(decoder: RecurrentDecoder, memory: Memory, length: int) -> int:
    """Of a pass over some positions, forward and backward."""
    inputs = torch.randn(2, length, 3, dtype=torch.float64, requires_grad=True)
    with Operations() as operations:
        decoder(inputs, decoder.start(memory)).features.sum().backward()
    return operations.count


@pytest.mark.parametrize(
    ("cell", "attention", "most"),
    [
        ("gru", "general", 40),
        ("lstm", "general", 45),
        ("rnn", "general", 30),
        ("gru", "location", 68),
    ],
)
def test_operations_of_a_step(memory, randomized, cell, attention, most) -> None:
    """Each takes a GPU longer to start than to compute."""
    made = make(randomized, cell, True, WALKING.get(attention, GeneralAttention), num_layers=1)
    per_step = (operations(made, memory, 12) - operations(made, memory, 2)) / 10
    assert per_step <= most


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
