"""Every parameter learns."""

import torch

from tandem.core.types import FIRST_OUTPUT
from tandem.testing.case import Case
from tandem.testing.compare import expect


def reaches_every_parameter(case: Case) -> None:
    """The outputs depend on each parameter that is not frozen."""
    case.model.zero_grad()
    with torch.backends.cudnn.flags(enabled=False):  # whose RNNs have gradients in training only
        logits = case.model(case.source, case.mask, case.target)[..., FIRST_OUTPUT:]
        factors = torch.arange(logits.numel(), device=case.device).view_as(logits).sin()
        (logits * factors).sum().backward()
    missed = [
        name
        for name, parameter in case.model.named_parameters()
        if parameter.requires_grad
        and (parameter.grad is None or not parameter.grad.abs().max() > 1e-12)
    ]
    case.model.zero_grad()
    expect(
        not missed,
        f"The gradient must reach every parameter, but it does not reach {', '.join(missed)}; use "
        "them in forward, and detach nothing.",
    )
