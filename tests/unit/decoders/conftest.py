"""A memory, and an attention that answers by formula."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from tandem.attentions import NoAttention
from tandem.core.memory import Memory


@pytest.fixture
def memory() -> Memory:
    states = torch.randn(2, 4, 6, dtype=torch.float64)
    mask = torch.tensor([[True] * 4, [True, True, False, False]])
    return Memory(states, mask, states[:, 0])


@dataclass
class Made:
    """What a decoder asked its attention factory for."""

    query_size: int
    memory_size: int


@pytest.fixture
def asked() -> list[Made]:
    return []


@pytest.fixture
def summary_attention(asked):
    """A factory of attentions that give the memory's summary, and keeps a record."""

    def make(*, query_size: int, memory_size: int) -> NoAttention:
        asked.append(Made(query_size, memory_size))
        return NoAttention(query_size=query_size, memory_size=memory_size)

    return make


@pytest.fixture
def randomized():
    def fill(module: nn.Module) -> nn.Module:
        for parameter in module.double().parameters():
            nn.init.normal_(parameter, std=0.5)
        return module

    return fill
