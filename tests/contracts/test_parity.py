"""A target fed at once, in chunks or symbol by symbol gives the same."""

import torch


@torch.inference_mode()
def test_steps_equal_one_pass(case, equal) -> None:
    steps, _ = case.feed_steps(case.target, case.start())
    equal(steps, case.model(case.source, case.mask, case.target))


@torch.inference_mode()
def test_chunks_and_their_weights_equal_one_pass(case, equal) -> None:
    state, logits, weights = case.start(), [], []
    for chunk in case.target.tensor_split((3, 4), dim=1):
        some, seen, state = case.feed(chunk, state)
        logits.append(some)
        weights.append(seen)
    whole, whole_weights, _ = case.feed(case.target, case.start())
    equal(torch.cat(logits, 1), whole)
    if whole_weights is None:
        assert weights == [None] * len(weights)
    else:
        equal(torch.cat(weights, 1), whole_weights)


@torch.inference_mode()
def test_a_symbol_changes_what_follows(case) -> None:
    other = case.target.clone()
    other[:, 2] = (other[:, 2] + 1) % 6
    before = case.model(case.source, case.mask, case.target)
    after = case.model(case.source, case.mask, other)
    assert (before[:, 2] - after[:, 2]).abs().amax(-1).min() > 1e-6
