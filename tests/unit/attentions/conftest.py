"""A memory small enough to work through by hand."""

import pytest
import torch
from torch import nn

from tandem.core.memory import Memory


@pytest.fixture
def memory() -> Memory:
    """Two sources of 5 and 2 positions with states of size 3."""
    states = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    return Memory(states, mask, states[:, 0])


@pytest.fixture
def query() -> torch.Tensor:
    """Three queries of size 4 for each source."""
    return torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture
def lengths() -> tuple[int, int]:
    return (5, 2)


@pytest.fixture
def randomized():
    """Gives every parameter, biases too, a value that matters."""

    def fill(module: nn.Module) -> nn.Module:
        for parameter in module.double().parameters():
            nn.init.normal_(parameter, generator=torch.Generator().manual_seed(parameter.numel()))
        return module

    return fill
