"""The stack of recurrent layers against torch's own."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.overrides import TorchFunctionMode

from tandem.core.errors import InputError
from tandem.layers.recurrent import RecurrentStack

KINDS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def stack(cell: str = "gru", num_layers: int = 2, *, bidirectional: bool = False) -> RecurrentStack:
    return RecurrentStack(
        3, cell=cell, hidden_size=4, num_layers=num_layers, bidirectional=bidirectional, dropout=0.0
    )


def gradients(outputs: tuple[Tensor, Tensor], leaves: list[Tensor]) -> list[Tensor]:
    """Of a sum in which every number of both outputs weighs differently."""
    torch.manual_seed(1)
    total = sum((output * torch.randn_like(output)).sum() for output in outputs)
    return list(torch.autograd.grad(total, leaves))


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


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", KINDS)
def test_masked_equals_torch_over_packed_sequences(cell: str, bidirectional: bool) -> None:
    torch.manual_seed(0)
    ours = stack(cell, 1, bidirectional=bidirectional).double()
    layer = ours.layers[0]
    inputs = torch.randn(3, 6, 3, dtype=torch.float64, requires_grad=True)
    lengths = torch.tensor([4, 6, 1])
    packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
    output, last = layer(packed)
    states, _ = pad_packed_sequence(output, batch_first=True, total_length=6)
    hidden = last[0] if cell == "lstm" else last  # (directions, B, H)
    expected = states, hidden.transpose(0, 1).flatten(1)
    actual = ours.run_masked(inputs, torch.arange(6) < lengths.unsqueeze(1))
    leaves = [inputs, *ours.parameters()]
    compared = [*zip(actual, expected, strict=True)]
    compared += zip(gradients(actual, leaves), gradients(expected, leaves), strict=True)
    for one, other in compared:
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


class RefusesHostReads(TorchFunctionMode):
    """Fails where a number is asked of the device, for which the host would have to wait."""

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        assert getattr(function, "__name__", "") not in HOST_READS, function
        return function(*args, **(kwargs or {}))


HOST_READS = {"cpu", "item", "tolist", "numpy", "nonzero", "__int__", "__bool__", "__index__"}


@pytest.mark.parametrize("cell", KINDS)
def test_masked_asks_the_device_for_no_length(cell: str) -> None:
    ours = stack(cell, bidirectional=True)
    mask = torch.tensor([[True, True], [True, False]])
    with RefusesHostReads():
        ours.run_masked(torch.randn(2, 2, 3), mask)
    with pytest.raises(AssertionError), RefusesHostReads():
        mask.sum(1).cpu()


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
