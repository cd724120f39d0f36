"""What stands behind a source's end, and how much of it, changes nothing."""

import dataclasses

import torch

from tandem.core.types import FIRST_OUTPUT
from tandem.testing.case import Case
from tandem.testing.compare import expect, expect_equal


def with_other_padding(case: Case, extra: int) -> Case:
    """The same sources in front of other content, and ``extra`` more of it."""
    source = case.source.clone()
    source[~case.mask] = case.changed[~case.mask]
    return dataclasses.replace(
        case,
        source=torch.cat((source, source[:, :extra]), 1),
        mask=torch.cat((case.mask, torch.zeros_like(case.mask[:, :extra])), 1),
    )


@torch.inference_mode()
def is_invisible(case: Case, extra: int) -> None:
    """Other content at padded positions, and ``extra`` more of them, give the same scores."""
    other = with_other_padding(case, extra)
    what = "more padding" if extra else "other content at padded positions"
    expect_equal(
        other.feed(case.target, other.start())[0],
        case.feed(case.target, case.start())[0],
        f"Padding must be invisible, but {what} changed the scores; set what stands where the mask "
        "is False to zero before anything looks at its neighbours, and leave it out of sums, means "
        "and softmax.",
    )


@torch.inference_mode()
def gets_no_weight(case: Case) -> None:
    """Weights (N, T, S) are of real positions, at least 0 and sum to at most 1."""
    _, weights, _ = case.feed(case.target, case.start())
    if weights is None:
        return
    mask = case.model.encode(case.source, case.mask).mask
    expect(
        weights.shape == (*case.target.shape, mask.size(1)),
        f"Attention weights must be (N, T, S) = {(*case.target.shape, mask.size(1))}, but are "
        f"{tuple(weights.shape)}.",
    )
    expect(
        bool((weights >= 0).all() and (weights.sum(-1) <= 1 + 1e-10).all()),
        "Attention weights must be at least 0 and sum to at most 1 over a source, but these do "
        "not; return what multiplies the values.",
    )
    expect(
        bool((weights.transpose(1, 2)[~mask] == 0).all()),
        "Attention weights must be 0 at padded positions, but some are not; use masked_softmax.",
    )


@torch.inference_mode()
def the_first_position_matters(case: Case) -> None:
    """What a source begins with changes the outputs."""
    source = case.source.clone()
    source[:, 0] = case.changed[:, 0]
    before = case.model(case.source, case.mask, case.target)
    after = case.model(source, case.mask, case.target)
    expect(
        bool((before - after)[..., FIRST_OUTPUT:].abs().amax(-1).amax(-1).min() > 1e-6),
        "What a source begins with must matter, but another first position changed no score.",
    )
