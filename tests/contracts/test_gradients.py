"""Every parameter learns."""

import torch


def test_the_gradient_reaches_every_parameter(case) -> None:
    case.model.zero_grad()
    logits = case.model(case.source, case.mask, case.target)
    (logits * torch.arange(logits.numel()).view_as(logits).sin()).sum().backward()
    missed = [
        name
        for name, parameter in case.model.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().max() > 1e-12
    ]
    case.model.zero_grad()
    assert missed == []
