"""Positions against their formulas."""

import math
import re

import pytest
import torch
from torch import nn

from tandem.core.errors import InputError
from tandem.layers.positions import (
    KINDS,
    Angles,
    LearnedPositions,
    Rotary,
    added_positions,
    position_limit,
)


def test_sinusoidal_equals_the_formula() -> None:
    added = added_positions("sinusoidal", 6, 0)(torch.zeros(1, 4, 6, dtype=torch.float64), 3)
    for step in range(4):
        for i in range(3):
            angle = (3 + step) / 10000 ** (2 * i / 6)
            assert added[0, step, i].item() == pytest.approx(math.sin(angle), abs=1e-12)
            assert added[0, step, 3 + i].item() == pytest.approx(math.cos(angle), abs=1e-12)


def test_sinusoidal_of_another_amplitude() -> None:
    inputs = torch.zeros(1, 4, 6, dtype=torch.float64)
    whole = added_positions("sinusoidal", 6, 0)(inputs, 3)
    quarter = added_positions("sinusoidal", 6, 0, amplitude=0.25)(inputs, 3)
    torch.testing.assert_close(quarter, 0.25 * whole)


def test_sinusoidal_of_odd_size() -> None:
    assert added_positions("sinusoidal", 5, 0)(torch.zeros(2, 3, 5), 0).shape == (2, 3, 5)


def test_sinusoidal_is_exact_far_away() -> None:
    added = added_positions("sinusoidal", 2, 0)(torch.zeros(1, 1, 2), 100_000)
    assert added[0, 0].tolist() == pytest.approx([math.sin(1e5), math.cos(1e5)], abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_angles_stay_exact_in_a_model_of_any_type(dtype: torch.dtype) -> None:
    exact = Angles(6)(0, 2000)
    model = nn.Sequential(Angles(6)).to(dtype)
    assert torch.equal(model[0](0, 2000), exact)
    assert exact.dtype == torch.float64


def test_angles_follow_a_model_to_another_device() -> None:
    angles = Angles(6).to("meta")
    assert angles.rates.device.type == "meta"
    assert torch.equal(angles.to_empty(device="cpu")(0, 9), Angles(6)(0, 9))
    with torch.device("meta"):
        angles = Angles(6)
    assert torch.equal(angles.to_empty(device="cpu")(0, 9), Angles(6)(0, 9))


def test_positions_stay_distinct_in_bfloat16() -> None:
    sinusoidal = added_positions("sinusoidal", 64, 0).to(torch.bfloat16)
    table = sinusoidal(torch.zeros(1, 2000, 64, dtype=torch.bfloat16), 0)
    turned = Rotary(64).to(torch.bfloat16)(torch.ones(1, 2000, 64, dtype=torch.bfloat16), 0)
    for rows in (table, turned):
        assert rows.dtype == torch.bfloat16
        assert len(rows[0].unique(dim=0)) == 2000


def test_position_limit_is_the_smallest_table() -> None:
    learned = [added_positions("learned", 4, length) for length in (9, 7, 8)]
    assert position_limit(nn.ModuleList(learned)) == 7
    assert position_limit(added_positions("sinusoidal", 4, 5)) is None


def test_learned_adds_the_row_of_the_position() -> None:
    positions = LearnedPositions(3, max_length=5)
    inputs = torch.randn(2, 2, 3)
    assert torch.equal(positions(inputs, 3), inputs + positions.table.weight[3:5])


def test_learned_says_what_is_too_long() -> None:
    message = (
        "A sequence of 6 symbols is longer than `max_length` (5) of the learned positions; "
        "shorten it, or train with a larger `max_length` or with positions=sinusoidal."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        LearnedPositions(3, max_length=5)(torch.zeros(1, 2, 3), 4)


def test_none_and_rotary_add_nothing() -> None:
    inputs = torch.randn(1, 2, 3)
    for kind in ("none", "rotary"):
        assert added_positions(kind, 3, 0, KINDS)(inputs, 7) is inputs


def test_unknown_kind() -> None:
    message = "`positions` must be one of sinusoidal, learned, none, rotary, but is 'sine'."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        added_positions("sine", 4, 0, KINDS)


def test_rotary_needs_self_attention() -> None:
    message = "`positions` must be one of sinusoidal, learned, none, but is 'rotary'."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        added_positions("rotary", 4, 0)


def test_rotary_turns_each_pair_by_its_angle() -> None:
    heads = torch.tensor([[[1.0, 0.0, 0.0, 1.0] * 2]]).double()  # two heads alike
    slow = 5 / 10000 ** (2 / 4)
    expected = [math.cos(5), math.sin(5), -math.sin(slow), math.cos(slow)]
    assert Rotary(4)(heads, 5)[0, 0].tolist() == pytest.approx(expected * 2, abs=1e-12)


def test_rotary_products_depend_on_distance_alone() -> None:
    rotary = Rotary(6)
    query, key = torch.randn(2, 1, 1, 6, dtype=torch.float64)

    def product(at: int, other: int) -> float:
        return (rotary(query, at) * rotary(key, other)).sum().item()

    assert product(3, 1) == pytest.approx(product(90, 88), abs=1e-10)
    assert product(3, 3) == pytest.approx((query * key).sum().item(), abs=1e-10)
    assert product(3, 1) != pytest.approx(product(3, 2), abs=1e-3)


def test_rotary_keeps_lengths_and_type() -> None:
    heads = torch.randn(2, 3, 28, dtype=torch.float64)
    torch.testing.assert_close(Rotary(4)(heads, 11).norm(dim=-1), heads.norm(dim=-1))
    assert Rotary(4)(heads.bfloat16(), 11).dtype == torch.bfloat16


def test_rotary_needs_even_heads() -> None:
    message = (
        "Rotary positions need heads of even size, but a head has size 3; choose `hidden_size` "
        "and `num_heads` so that their ratio is even."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Rotary(3)
