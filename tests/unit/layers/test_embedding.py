"""Embedding tables."""

import pytest
import torch

from tandem.layers.embedding import embedding_table


def test_spread_is_one_over_the_root_of_the_size() -> None:
    torch.manual_seed(0)
    table = embedding_table(2000, 64)
    assert table.weight.shape == (2000, 64)
    assert table.weight.std().item() == pytest.approx(1 / 8, rel=0.02)
