"""SpecAugment: what it hides, how much of it, and what it never touches."""

from typing import Any

import pytest
import torch

from tandem.core.errors import InputError
from tandem.layers.spec_augment import SpecAugment


def augment(**changes: Any) -> SpecAugment:
    off = {"time_masks": 0, "time_width": 0, "frequency_masks": 0, "frequency_width": 0}
    return SpecAugment(**{**off, "time_share": 1.0, **changes})


def hidden(layer: SpecAugment, lengths: list[int], bands: int = 12) -> torch.Tensor:
    """(B, F, bands) bool, over frames of ones."""
    frames = torch.ones(len(lengths), 2, max(lengths), bands)
    result = layer(frames, torch.tensor(lengths))
    assert torch.equal(result[:, 0], result[:, 1])
    assert set(result.unique().tolist()) <= {0.0, 1.0}
    return result[:, 0] == 0


def test_stretches_of_frames() -> None:
    torch.manual_seed(0)
    lost = hidden(augment(time_masks=1, time_width=5), [20] * 600)
    assert torch.equal(lost.any(2), lost.all(2))  # a frame is hidden as a whole
    lost = lost[:, :, 0]
    widths = lost.sum(1)
    counts = widths.bincount(minlength=7)
    assert counts[6] == 0
    assert counts[:6].min() > 60  # of 100 expected for each width from 0 to 5
    edges = lost.int().diff(dim=1).abs().sum(1) + lost[:, 0] + lost[:, -1]
    assert set(edges[widths > 0].tolist()) == {2}  # in one piece
    assert lost.any(0).all()  # anywhere


def test_stretches_of_bands() -> None:
    torch.manual_seed(0)
    lost = hidden(augment(frequency_masks=2, frequency_width=3), [4] * 300)
    assert torch.equal(lost.any(1), lost.all(1))
    assert set(lost[:, 0].sum(1).tolist()) == {0, 1, 2, 3, 4, 5, 6}


def test_never_in_padding_nor_longer_than_the_share() -> None:
    torch.manual_seed(0)
    lengths = [1, 9, 40] * 100
    lost = hidden(augment(time_masks=1, time_width=30), lengths)[:, :, 0]
    assert not (lost & (torch.arange(40) >= torch.tensor(lengths)[:, None])).any()
    assert lost[2::3].sum(1).max() == 30
    lost = hidden(augment(time_masks=1, time_width=30, time_share=0.2), lengths)[:, :, 0]
    assert [int(lost[place::3].sum(1).max()) for place in range(3)] == [0, 1, 8]


def test_nothing_in_evaluation_and_the_seed_decides() -> None:
    layer = augment(time_masks=2, time_width=5, frequency_masks=1, frequency_width=4)
    results = []
    for _ in range(2):
        torch.manual_seed(3)
        results.append(hidden(layer, [20, 10]))
    assert torch.equal(*results)
    assert results[0].any()
    before = torch.random.get_rng_state()
    assert not hidden(layer.eval(), [20, 10]).any()
    assert torch.equal(before, torch.random.get_rng_state())


def test_options_that_cannot_be() -> None:
    with pytest.raises(InputError, match=r"`frontend.time_masks` must be at least 0, but is -1"):
        augment(time_masks=-1)
    with pytest.raises(InputError, match=r"`frontend.time_share` must be a part between 0 and 1"):
        augment(time_share=2.0)
