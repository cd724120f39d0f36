"""A small model with drawn weights, and a batch for it."""

from collections.abc import Callable

import pytest
import torch

from tandem.core.types import Batch
from tandem.models import Seq2Seq


@pytest.fixture
def make(small_model) -> Callable[..., Seq2Seq]:
    """Make a model of seven symbols on both sides, in training mode."""
    return lambda **options: small_model(vocabulary=7, seed=0, **options).train()


@pytest.fixture
def batch() -> Batch:
    """Targets 4 5 4 and 6, of sources with 4 and 2 positions."""
    target = torch.tensor([[4, 5, 4, 2], [6, 2, 0, 0]])
    return Batch.of(
        source=torch.tensor([[4, 5, 6, 2], [6, 2, 0, 0]]),
        source_mask=torch.tensor([[True] * 4, [True, True, False, False]]),
        target_in=torch.tensor([[1, 4, 5, 4], [1, 6, 0, 0]]),
        target_out=target,
        target_mask=target != 0,
        indices=torch.arange(2),
    )
