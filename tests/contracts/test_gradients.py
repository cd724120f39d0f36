"""Every parameter learns."""

import re

import torch

ONLY_FOR_QUERIES = re.compile(r"decoder\.layers\.\d+\.(query|residual\.norm)\.(weight|bias)")
"""What an attention that never looks at its query cannot reach."""


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
    if case.combination.attention == "none":
        missed = [name for name in missed if not ONLY_FOR_QUERIES.fullmatch(name)]
    assert missed == []
