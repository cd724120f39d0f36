"""Every parameter learns."""

import torch

from tandem.core.types import FIRST_OUTPUT
from tandem.testing.case import Case
from tandem.testing.compare import expect


def reaches_every_parameter(case: Case) -> None:
    """The outputs depend on each parameter."""
    case.model.zero_grad()
    logits = case.model(case.source, case.mask, case.target)[..., FIRST_OUTPUT:]
    (logits * torch.arange(logits.numel()).view_as(logits).sin()).sum().backward()
    missed = [
        name
        for name, parameter in case.model.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().max() > 1e-12
    ]
    case.model.zero_grad()
    expect(
        not missed,
        f"The gradient must reach every parameter, but it does not reach {', '.join(missed)}; use "
        "them in forward, and detach nothing.",
    )
