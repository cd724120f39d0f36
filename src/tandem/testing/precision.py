"""A model runs in every type of numbers, as Lightning's bf16-true, 16-true and bf16-mixed do it."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from tandem.core.types import FIRST_OUTPUT
from tandem.testing.case import Case
from tandem.testing.compare import expect


@contextmanager
def running_in(dtype: torch.dtype, what: str) -> Iterator[None]:
    """Make a type torch's default, as Lightning does, and name it where torch refuses.

    :param what: how it is used, for the message.
    """
    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    except RuntimeError as error:
        raise AssertionError(
            f"A part must run {what}, but raised: {error}; make new tensors with the dtype of an "
            "input or a weight, and bring sources to the dtype of the weights in the frontend."
        ) from error
    finally:
        torch.set_default_dtype(usual)


def trains(case: Case, dtype: torch.dtype) -> None:
    """Forward and backward with all parameters of a type."""
    model = copy.deepcopy(case.model).to(dtype).train()
    with running_in(dtype, f"with all parameters in {dtype}"):
        scores = model(case.source, case.mask, case.target)
        scores[..., FIRST_OUTPUT:].float().square().mean().backward()
    expected = torch.promote_types(dtype, torch.float32) if model.normalized else dtype
    expect(
        scores.dtype == expected,
        f"Scores must be {expected} with all parameters in {dtype}, but are {scores.dtype}; make "
        "new tensors with the dtype of an input or a weight.",
    )
    _expect_gradients(model, dtype)


@torch.inference_mode()
def searches(case: Case, dtype: torch.dtype) -> None:
    """Steps with several hypotheses a source, with all parameters of a type."""
    model = copy.deepcopy(case.model).to(dtype)
    with running_in(dtype, f"step by step with all parameters in {dtype}"):
        state = model.start(model.encode(case.source, case.mask)).repeat(2)
        swapped = torch.tensor([1, 0, 3, 2, 5, 4], device=case.device)
        for step in case.target.repeat_interleave(2, 0).unbind(1):
            scores, state = model.step(step, state.reorder(swapped))
            _expect_finite(scores, dtype)


def runs_mixed(case: Case) -> None:
    """Training and steps under bfloat16 autocast, with parameters in float32."""
    model = copy.deepcopy(case.model).float().train()
    with (
        running_in(torch.float32, "under bfloat16 autocast"),
        torch.autocast(case.device.type, torch.bfloat16),
    ):
        scores = model(case.source, case.mask, case.target)[..., FIRST_OUTPUT:]
        scores.float().square().mean().backward()
        _expect_gradients(model, torch.float32)
        with torch.inference_mode():
            state = model.eval().start(model.encode(case.source, case.mask)).repeat(2)
            for step in case.target.repeat_interleave(2, 0).unbind(1):
                scores, state = model.step(step, state)
                _expect_finite(scores, torch.bfloat16)


def _expect_gradients(model: nn.Module, dtype: torch.dtype) -> None:
    bad = [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
        and (
            parameter.grad is None
            or parameter.grad.dtype != dtype
            or not parameter.grad.isfinite().all()
        )
    ]
    expect(
        not bad,
        f"Gradients of parameters in {dtype} must be finite and of that type, but {len(bad)} are "
        f"not, such as that of {bad[-1:]}; divide by nothing that can be 0 there (1e-12 is 0 in "
        "float16), and mask with numbers that it can show.",
    )


def _expect_finite(scores: Tensor, dtype: torch.dtype) -> None:
    expect(
        bool(scores[..., FIRST_OUTPUT:].isfinite().all()),
        f"Scores must be finite in {dtype}, but some are not; mask with numbers that it can show.",
    )
