"""Dropout from random bytes."""

import math
import re

import pytest
import torch

from tandem.core.errors import InputError
from tandem.layers.dropout import Dropout

COUNT = 1_000_003  # no multiple of eight: the last draw is used in part


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
def test_rate_and_mean(p: float) -> None:
    torch.manual_seed(0)
    dropped = Dropout(p)(torch.ones(COUNT, dtype=torch.float64))
    rate = round(p * 256) / 256
    deviation = math.sqrt(rate * (1 - rate) / COUNT)
    assert abs((dropped == 0).double().mean().item() - rate) < 4 * deviation
    assert dropped.unique().tolist() == pytest.approx([0, 1 / (1 - rate)])
    assert abs(dropped.mean().item() - 1) < 4 * deviation / (1 - rate)


def test_neighbours_are_independent() -> None:
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(COUNT)) > 0).double() - 0.5
    for distance in (1, 2, 4, 8):
        product = kept[:-distance] * kept[distance:]
        assert abs(product.mean().item()) < 4 * 0.25 / math.sqrt(COUNT)


def test_every_place_of_a_draw_is_dropped_alike() -> None:
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(80_000)) > 0).view(-1, 8).double().mean(0)
    assert (kept - 0.5).abs().max().item() < 4 * 0.5 / math.sqrt(10_000)


def test_the_gradient_has_the_same_mask() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(40, 33, requires_grad=True)
    dropped = Dropout(0.3)(inputs)
    dropped.sum().backward()
    assert torch.equal(inputs.grad * inputs.detach(), dropped.detach())


def test_masks_differ_from_call_to_call_and_follow_the_seed() -> None:
    dropout, ones = Dropout(0.5), torch.ones(200)
    torch.manual_seed(3)
    first, second = dropout(ones), dropout(ones)
    torch.manual_seed(3)
    assert torch.equal(dropout(ones), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize(("p", "rate"), [(0.0005, 1 / 256), (0.999, 255 / 256)])
def test_extreme_probabilities_neither_drop_nothing_nor_all(p: float, rate: float) -> None:
    torch.manual_seed(0)
    dropped = Dropout(p)(torch.ones(COUNT, dtype=torch.float64))
    deviation = math.sqrt(rate * (1 - rate) / COUNT)
    assert abs((dropped == 0).double().mean().item() - rate) < 4 * deviation


def test_off_in_evaluation_and_for_zero() -> None:
    inputs = torch.randn(5)
    assert Dropout(0.5).eval()(inputs) is inputs
    assert Dropout(0.0)(inputs) is inputs


def test_empty_input() -> None:
    assert Dropout(0.5)(torch.ones(0, 3)).shape == (0, 3)


@pytest.mark.parametrize("p", [1.0, -0.1])
def test_bad_probability(p: float) -> None:
    message = f"`dropout` must be at least 0 and below 1, but is {p}."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Dropout(p)
