"""Masks: True is real."""

import pytest
import torch

from tandem.core.masks import lengths_to_mask, masked_mean, masked_softmax, zero_padding


def test_lengths_to_mask() -> None:
    assert lengths_to_mask(torch.tensor([2, 0, 3]), 3).tolist() == [
        [True, True, False],
        [False, False, False],
        [True, True, True],
    ]


def test_masked_softmax_gives_exact_zeros_and_the_softmax_of_the_rest() -> None:
    scores = torch.tensor([[0.0, 1000.0, 0.0, -5.0]])
    weights = masked_softmax(scores, torch.tensor([[True, False, True, False]]))
    assert weights.tolist() == [[0.5, 0.0, 0.5, 0.0]]


def test_masked_softmax_keeps_very_small_scores() -> None:
    weights = masked_softmax(torch.tensor([-1e30, 3.0]), torch.tensor([True, False]))
    assert weights.tolist() == [1.0, 0.0]


def test_masked_mean_and_zero_padding_ignore_padding_even_if_it_is_not_finite() -> None:
    states = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [float("nan"), float("inf")]]])
    mask = torch.tensor([[True, True, False]])
    assert masked_mean(states, mask).tolist() == [[2.0, 3.0]]
    assert zero_padding(states, mask)[0, 2].tolist() == [0.0, 0.0]
    assert masked_mean(states[:, :1], mask[:, :1])[0].tolist() == pytest.approx([1.0, 2.0])


def test_masked_mean_adds_up_in_a_wide_type() -> None:
    states = torch.ones(1, 1003, 1, dtype=torch.bfloat16)
    mean = masked_mean(states, torch.arange(1003).unsqueeze(0) < 1001)
    assert mean.dtype == torch.bfloat16
    assert mean.tolist() == [[1.0]]
    assert masked_mean(states.double(), torch.ones(1, 1003).bool()).dtype == torch.float64
