"""CTC's loss against the sum over all alignments."""

import math

import pytest
import torch

from tandem.models.ctc import alignment_losses, needed_positions


def losses_of(ctc, memory, targets, lengths):
    return alignment_losses(ctc.log_probs(memory), memory.mask, targets, lengths)


def test_loss_equals_the_sum_over_alignments(ctc, memory, alignments) -> None:
    table = alignments(ctc.log_probs(memory), memory.mask)
    targets = [[4, 4, 5], [5, 4, 3], [3, 5, 0]]
    lengths = [3, 1, 2]  # what stands behind them is not looked at
    losses, possible = losses_of(ctc, memory, torch.tensor(targets), torch.tensor(lengths))
    expected = [
        -math.log(table.whole(row, tuple(target[:length])))
        for row, (target, length) in enumerate(zip(targets, lengths, strict=True))
    ]
    assert losses.tolist() == pytest.approx(expected, abs=1e-10)
    assert possible.tolist() == [True] * 3


def test_an_empty_target_is_all_blank(ctc, memory, alignments) -> None:
    losses, possible = losses_of(
        ctc, memory, torch.tensor([[0], [2], [4]]), torch.tensor([0, 0, 0])
    )
    table = alignments(ctc.log_probs(memory), memory.mask)
    expected = [-math.log(table.whole(row, ())) for row in range(3)]
    assert losses.tolist() == pytest.approx(expected, abs=1e-10)
    assert possible.all()


def test_what_cannot_be_aligned_counts_as_nothing(ctc, memory) -> None:
    targets = torch.tensor([[4, 4, 5, 5], [4, 5, 0, 0], [4, 4, 5, 0]])  # 6 of 4, 2 of 1, 4 of 3
    losses, possible = losses_of(ctc, memory, targets, torch.tensor([4, 2, 3]))
    assert losses.tolist() == [0.0] * 3
    assert not possible.any()
    (grad,) = torch.autograd.grad(losses.sum(), ctc.output.weight)
    assert grad.abs().max() == 0


def test_needed_positions() -> None:
    targets = torch.tensor([[4, 4, 4, 5], [4, 5, 5, 5], [0, 0, 0, 0]])
    assert needed_positions(targets, torch.tensor([4, 3, 0])).tolist() == [6, 4, 0]
