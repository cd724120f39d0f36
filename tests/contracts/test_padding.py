"""What stands behind a source's end, and how much of it, changes nothing."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F


def with_other_padding(case, extra: int):
    """The same sources in front of other symbols, and ``extra`` more of them."""
    source = torch.where(case.mask, case.source, (case.source + 1) % 6)
    return dataclasses.replace(
        case, source=F.pad(source, (0, extra), value=5), mask=F.pad(case.mask, (0, extra))
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
        assert weights.shape == (*case.target.shape, case.source.size(1))
        assert (weights >= 0).all()
        assert (weights.sum(-1) <= 1 + 1e-10).all()
        assert (weights.transpose(1, 2)[~case.mask] == 0).all()


@torch.inference_mode()
def test_a_source_symbol_matters(case) -> None:
    source = case.source.clone()
    source[:, 0] = (source[:, 0] + 1) % 6
    before = case.model(case.source, case.mask, case.target)
    after = case.model(source, case.mask, case.target)
    assert (before - after).abs().amax(-1).amax(-1).min() > 1e-6
