"""Steps of cells and features against PyTorch's own, values and gradients."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tandem.layers.cells import CELLS
from tandem.layers.steps import StepLinear, step_cell, step_features

TORCH_CELLS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}
LENGTH, ROWS, INPUTS, HIDDEN, FEATURES = 4, 3, 2, 5, 6


def given_size(cell: str) -> int:
    return HIDDEN * {"rnn": 1, "lstm": 4, "gru": 3}[cell]


class Walk:
    """A cell and a layer of features over a few positions, in our steps or in PyTorch's."""

    def __init__(self, cell: str, given: bool) -> None:
        torch.manual_seed(0)
        self.name = cell
        self.is_given = given
        """Whether something stands in place of the bias from below."""
        self.cell = TORCH_CELLS[cell](INPUTS, HIDDEN, dtype=torch.float64)
        self.linear = nn.Linear(HIDDEN + INPUTS, FEATURES, dtype=torch.float64)
        self.inputs = torch.randn(LENGTH, ROWS, INPUTS, dtype=torch.float64, requires_grad=True)
        self.given = torch.randn(
            LENGTH, ROWS, given_size(cell), dtype=torch.float64, requires_grad=True
        )
        slots = 2 if cell == "lstm" else 1
        self.slots = torch.randn(slots, ROWS, HIDDEN, dtype=torch.float64, requires_grad=True)
        self.factors = torch.rand(LENGTH, ROWS, FEATURES, dtype=torch.float64)
        self.weights = [*self.linear.parameters()]
        for name, weight in self.cell.named_parameters():
            if not given or name != "bias_ih":
                self.weights.append(weight)

    def ours(self) -> Tensor:
        cell = self.cell
        bias = None if self.is_given else cell.bias_ih
        below = StepLinear(cell.weight_ih, bias, torch.float64)
        recurrent = StepLinear(cell.weight_hh, cell.bias_hh, torch.float64)
        combine = StepLinear(self.linear.weight, self.linear.bias, torch.float64)
        slots, features = self.slots.unbind(), []
        for step in range(LENGTH):
            inputs, given = self.inputs[step], self.given[step] if self.is_given else None
            slots = step_cell(CELLS[self.name], step, below, recurrent, inputs, given, slots)
            features.append(
                step_features(combine, step, slots[0], self.inputs[step], self.factors[step])
            )
        return torch.cat((torch.stack(features).flatten(), *(slot.flatten() for slot in slots)))

    def by_torch(self) -> Tensor:
        slots, features = self.slots.unbind(), []
        for step in range(LENGTH):
            cell = self.cell
            weights = [cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh]
            inputs = self.inputs[step]
            if self.is_given:
                inputs = torch.cat((inputs, self.given[step]), 1)
                one = torch.eye(given_size(self.name), dtype=torch.float64)
                weights[0] = torch.cat((cell.weight_ih, one), 1)
                weights[2] = torch.zeros_like(cell.bias_ih)
            hidden = slots if self.name == "lstm" else slots[0]
            after = STEPS[self.name](inputs, hidden, *weights)
            slots = after if self.name == "lstm" else (after,)
            joined = torch.cat((slots[0], self.inputs[step]), 1)
            features.append(torch.tanh(self.linear(joined)) * self.factors[step])
        return torch.cat((torch.stack(features).flatten(), *(slot.flatten() for slot in slots)))

    def gradients(self, output: Tensor, leaves: list[Tensor], **options: Any) -> list[Tensor]:
        """Of a sum in which every number weighs differently."""
        torch.manual_seed(1)
        return list(torch.autograd.grad(output @ torch.randn_like(output), leaves, **options))


STEPS = {"rnn": torch.rnn_tanh_cell, "lstm": torch.lstm_cell, "gru": torch.gru_cell}


@pytest.fixture(params=[False, True], ids=["bias", "given"])
def given(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(params=CELLS)
def walk(request: pytest.FixtureRequest, given: bool) -> Walk:
    return Walk(request.param, given)


def assert_near(actual: Any, expected: Any) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("compiling", [False, True])
def test_values_and_gradients_equal_torch(walk: Walk, compiling: bool, monkeypatch) -> None:
    expected = walk.by_torch()
    leaves = [walk.inputs, walk.slots, *walk.weights, *([walk.given] if walk.is_given else [])]
    with monkeypatch.context() as compiler:
        compiler.setattr(torch.compiler, "is_compiling", lambda: compiling)
        actual = walk.ours()
    assert_near(actual, expected)
    assert_near(walk.gradients(actual, leaves), walk.gradients(expected, leaves))


def test_without_gradients(walk: Walk) -> None:
    with torch.no_grad():
        assert_near(walk.ours(), walk.by_torch())


def test_gradients_of_weights_come_once_however_often_the_steps_are_asked(walk: Walk) -> None:
    output, expected = walk.ours(), walk.gradients(walk.by_torch(), walk.weights)
    walk.gradients(output, [walk.inputs], retain_graph=True)  # of the inputs alone
    for _ in range(2):
        assert_near(walk.gradients(output, walk.weights, retain_graph=True), expected)


def test_fixed_weights(walk: Walk) -> None:
    for weight in walk.weights:
        weight.requires_grad_(False)
    leaves = [walk.inputs, walk.slots]
    assert_near(walk.gradients(walk.ours(), leaves), walk.gradients(walk.by_torch(), leaves))
