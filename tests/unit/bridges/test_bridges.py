"""From summary to initial state."""

import re

import pytest
import torch

from tandem.bridges import CopyBridge, LinearBridge, ZerosBridge
from tandem.core.errors import InputError

SUMMARY = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def test_linear_has_a_map_for_each_slot() -> None:
    bridge = LinearBridge(memory_size=2, slots=3, hidden_size=4)
    state = bridge(SUMMARY)
    assert state.shape == (2, 3, 4)
    weight, bias = bridge.linear.weight.view(3, 4, 2), bridge.linear.bias.view(3, 4)
    for row in range(2):
        for slot in range(3):
            expected = torch.tanh(weight[slot] @ SUMMARY[row] + bias[slot])
            torch.testing.assert_close(state[row, slot], expected)


def test_copy_puts_the_summary_into_every_slot() -> None:
    state = CopyBridge(memory_size=2, slots=3, hidden_size=2)(SUMMARY)
    assert state.tolist() == [[[1.0, 2.0]] * 3, [[3.0, 4.0]] * 3]


def test_zeros() -> None:
    assert ZerosBridge(memory_size=2, slots=3, hidden_size=1)(SUMMARY).tolist() == [[[0.0]] * 3] * 2


def test_copy_needs_equal_sizes() -> None:
    message = (
        "bridge=copy needs a decoder as large as the encoder's summary, but they have sizes 4 and "
        "2; set decoder.hidden_size and encoder.hidden_size to the same value or use "
        "bridge=linear."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        CopyBridge(memory_size=2, slots=1, hidden_size=4)
