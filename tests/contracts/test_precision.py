"""A model runs in every type of numbers, as Lightning's bf16-true, 16-true and 64-true run it."""

import copy

import pytest
import torch

from tandem.core.types import FIRST_OUTPUT
from tandem.testing import precision

pytestmark = pytest.mark.filterwarnings(
    "ignore:RNN module weights are not part of single contiguous"  # of bfloat16, on a GPU
)
EACH_TYPE = pytest.mark.parametrize(
    "dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str
)


@EACH_TYPE
def test_forward_and_backward(option_case, dtype) -> None:
    precision.trains(option_case, dtype)


@EACH_TYPE
def test_steps_with_several_hypotheses(option_case, dtype) -> None:
    precision.searches(option_case, dtype)


@EACH_TYPE
@torch.inference_mode()
def test_outputs_are_near_those_in_double_precision(option_case, dtype) -> None:
    case = option_case
    model = copy.deepcopy(case.model)
    for parameter in model.parameters():
        parameter.mul_(0.5)  # at which sizes rounding does not grow from layer to layer
    model.to(dtype)
    with precision.running_in(dtype, "with rounding"):
        rounded = model(case.source, case.mask, case.target)[..., FIRST_OUTPUT:].double()
    exact = model.double()(case.source, case.mask, case.target)[..., FIRST_OUTPUT:]
    error = (rounded - exact).square().mean().sqrt() / exact.std()
    assert error < 4 * torch.finfo(dtype).eps


def test_mixed_precision(option_case) -> None:
    precision.runs_mixed(option_case)
