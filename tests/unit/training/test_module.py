"""Losses of one batch that several ranks share."""

import pytest
import torch

from tandem.core.types import Batch
from tandem.training import module
from tandem.training.module import means_over_ranks, share_of_rank


def with_symbols(batch: Batch, own: int, total: int) -> Batch:
    return batch._replace(target_positions=torch.arange(own), total_symbols=total)


def test_ranks_with_unequal_symbols(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ranks: 3 symbols of mean 2, and 1 of mean 6, so the whole mean is 3 and not 4."""
    shares = [share_of_rank(with_symbols(batch, own, 4), 2) for own in (3, 1)]
    assert shares == [1.5, 0.5]
    theirs = 0.5 * torch.tensor([6.0, 1.0])
    monkeypatch.setattr(module, "sum_over_ranks", lambda ours: ours + theirs)
    monkeypatch.setattr(module, "rank_count", lambda: 2)
    means = means_over_ranks({"loss": torch.tensor(2.0), "part": torch.tensor(5.0)}, shares[0])
    assert means == {"train/loss": 3.0, "train/part": 4.0}


def test_ranks_that_have_the_same_rows(batch: Batch) -> None:
    """Of too few rows for all ranks each has all: the mean of their losses is right as it is."""
    assert share_of_rank(with_symbols(batch, 7, 7), 4) == 1.0


@pytest.mark.parametrize("symbols", [1, 3, 7, 4093])
def test_alone_nothing_changes(batch: Batch, symbols: int) -> None:
    loss = torch.rand((), generator=torch.Generator().manual_seed(symbols))
    share = share_of_rank(with_symbols(batch, symbols, symbols), 1)
    assert share == 1.0
    assert means_over_ranks({"loss": loss}, share) == {"train/loss": loss}
