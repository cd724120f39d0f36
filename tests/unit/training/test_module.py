"""Losses of one batch that several ranks share."""

import pytest
import torch

from tandem.training import module
from tandem.training.module import whole_batch


def test_ranks_with_unequal_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ranks: 3 symbols of mean 2, and 1 of mean 6, so the whole mean is 3 and not 4."""
    theirs = torch.tensor([6.0, 1.0, 1.0], dtype=torch.float64)  # loss, part, symbols
    monkeypatch.setattr(module, "sum_over_ranks", lambda ours: ours + theirs)
    monkeypatch.setattr(module, "rank_count", lambda: 2)
    means, share = whole_batch({"loss": torch.tensor(2.0), "part": torch.tensor(5.0)}, 3)
    assert means == {"train/loss": 3.0, "train/part": 4.0}
    assert share == 1.5
    their_share = 0.5
    assert (share * 2.0 + their_share * 6.0) / 2 == means["train/loss"]


@pytest.mark.parametrize("symbols", [1, 3, 7, 4093])
def test_alone_nothing_changes(symbols: int) -> None:
    loss = torch.rand((), generator=torch.Generator().manual_seed(symbols))
    assert whole_batch({"loss": loss}, symbols) == ({"train/loss": loss.item()}, 1.0)
