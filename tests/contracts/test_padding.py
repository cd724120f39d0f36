"""What stands behind a source's end, and how much of it, changes nothing."""

import dataclasses

import pytest
import torch


def with_other_padding(case, extra: int):
    """The same sources in front of other content, and ``extra`` more of it."""
    source = case.source.clone()
    source[~case.mask] = case.changed()[~case.mask]
    return dataclasses.replace(
        case,
        source=torch.cat((source, source[:, :extra]), 1),
        mask=torch.cat((case.mask, torch.zeros_like(case.mask[:, :extra])), 1),
    )


@torch.inference_mode()
@pytest.mark.parametrize("extra", [0, 3], ids=["content", "amount"])
def test_padding_is_invisible(case, equal, extra) -> None:
    other = with_other_padding(case, extra)
    equal(other.feed(case.target, other.start())[0], case.feed(case.target, case.start())[0])


@torch.inference_mode()
def test_no_weight_falls_on_padding(case) -> None:
    _, weights, _ = case.feed(case.target, case.start())
    if weights is not None:
        mask = case.model.encode(case.source, case.mask).mask
        assert weights.shape == (*case.target.shape, mask.size(1))
        assert (weights >= 0).all()
        assert (weights.sum(-1) <= 1 + 1e-10).all()
        assert (weights.transpose(1, 2)[~mask] == 0).all()


@torch.inference_mode()
def test_what_a_source_begins_with_matters(case) -> None:
    source = case.source.clone()
    source[:, 0] = case.changed()[:, 0]
    before = case.model(case.source, case.mask, case.target)
    after = case.model(source, case.mask, case.target)
    assert (before - after).abs().amax(-1).amax(-1).min() > 1e-6
