"""A model runs in every type of numbers, as Lightning's bf16-true, 16-true and 64-true run it."""

import copy
from collections.abc import Iterator

import pytest
import torch

DTYPES = [torch.bfloat16, torch.float16, torch.float64]


@pytest.fixture(params=DTYPES, ids=str)
def dtype(request: pytest.FixtureRequest) -> Iterator[torch.dtype]:
    """The type of all parameters; Lightning makes it torch's default, too."""
    usual = torch.get_default_dtype()
    torch.set_default_dtype(request.param)
    yield request.param
    torch.set_default_dtype(usual)


def test_forward_and_backward(option_case, dtype) -> None:
    case = option_case
    model = copy.deepcopy(case.model).to(dtype).train()
    scores = model(case.source, case.mask, case.target)
    scores.float().square().mean().backward()
    assert scores.dtype == (
        torch.promote_types(dtype, torch.float32) if model.normalized else dtype
    )
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.dtype == dtype, name
        assert parameter.grad.isfinite().all(), name


@torch.inference_mode()
def test_steps_with_several_hypotheses(option_case, dtype) -> None:
    case = option_case
    model = copy.deepcopy(case.model).to(dtype)
    state = model.start(model.encode(case.source, case.mask)).repeat(2)
    for step in case.target.repeat_interleave(2, 0).unbind(1):
        scores, state = model.step(step, state.reorder(torch.tensor([1, 0, 3, 2, 5, 4])))
        assert scores.isfinite().all()


@torch.inference_mode()
def test_outputs_are_near_those_in_double_precision(option_case, dtype) -> None:
    case = option_case
    model = copy.deepcopy(case.model)
    for parameter in model.parameters():
        parameter.mul_(0.5)  # at which sizes rounding does not grow from layer to layer
    model.to(dtype)
    rounded = model(case.source, case.mask, case.target).double()
    exact = model.double()(case.source, case.mask, case.target)
    error = (rounded - exact).square().mean().sqrt() / exact.std()
    assert error < 4 * torch.finfo(dtype).eps


def test_mixed_precision(option_case) -> None:
    case = option_case
    model = copy.deepcopy(case.model).float().train()
    with torch.autocast("cpu", torch.bfloat16):
        model(case.source, case.mask, case.target).float().square().mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.dtype == torch.float32, name
        assert parameter.grad.isfinite().all(), name
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        state = model.eval().start(model.encode(case.source, case.mask)).repeat(2)
        for step in case.target.repeat_interleave(2, 0).unbind(1):
            scores, state = model.step(step, state)
            assert scores.isfinite().all()
