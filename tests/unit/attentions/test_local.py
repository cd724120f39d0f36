"""Luong's local attentions: windows, their edges and sources shorter than a window."""

import math

import pytest
import torch
from torch import nn

from tandem.attentions import MonotonicLocalAttention, PredictiveLocalAttention
from tandem.core.errors import InputError
from tandem.core.memory import Memory

SIZES = {"query_size": 4, "memory_size": 3}
BFLOAT16 = torch.bfloat16


def window_softmax(scores: list[float], centre: float, half_width: int) -> list[float]:
    """Softmax over the positions of a window, 0 elsewhere."""
    inside = [abs(place - centre) <= half_width for place in range(len(scores))]
    total = sum(math.exp(s) for s, seen in zip(scores, inside, strict=True) if seen)
    return [math.exp(s) / total if seen else 0.0 for s, seen in zip(scores, inside, strict=True)]


def general_scores(attention, asked, states) -> list[float]:
    return [(asked @ (attention.key.weight @ state)).item() for state in states]


@pytest.mark.parametrize("half_width", [1, 2, 10])
def test_local_m_equals_its_formula(query, memory, lengths, randomized, half_width) -> None:
    attention = randomized(MonotonicLocalAttention(**SIZES, half_width=half_width))
    attended = attention(query, attention.start(memory))
    for row, length in enumerate(lengths):
        for t in range(3):
            scores = general_scores(attention, query[row, t], memory.states[row, :length])
            expected = window_softmax(scores, min(t, length - 1), half_width)
            weights = attended.weights()[row, t].tolist()
            assert weights == pytest.approx(expected + [0.0] * (5 - length), abs=1e-12)


def test_local_m_moves_one_position_a_step_and_stops_at_the_end(memory, randomized) -> None:
    attention = randomized(MonotonicLocalAttention(**SIZES, half_width=1))
    attended = attention(torch.zeros(2, 7, 4, dtype=torch.float64), attention.start(memory))
    third, half = 1 / 3, 1 / 2
    assert torch.allclose(
        attended.weights()[0],
        torch.tensor(
            [
                [half, half, 0, 0, 0],
                [third, third, third, 0, 0],
                [0, third, third, third, 0],
                [0, 0, third, third, third],
                [0, 0, 0, half, half],
                [0, 0, 0, half, half],
                [0, 0, 0, half, half],
            ]
        ).double(),
    )
    assert attended.weights()[1].tolist() == [[half, half, 0, 0, 0]] * 7
    assert attended.state.carry == 7


@pytest.mark.parametrize("half_width", [1, 2, 10])
def test_local_p_equals_its_formula(query, memory, lengths, randomized, half_width) -> None:
    attention = randomized(PredictiveLocalAttention(**SIZES, half_width=half_width))
    attended = attention(query, attention.start(memory))
    for row, length in enumerate(lengths):
        for t, asked in enumerate(query[row]):
            predicted = attention.centre.weight[0] @ torch.tanh(attention.hidden.weight @ asked)
            centre = (length - 1) / (1 + math.exp(-predicted.item()))
            scores = general_scores(attention, asked, memory.states[row, :length])
            softmax = window_softmax(scores, centre, half_width)
            expected = [
                weight * math.exp(-((place - centre) ** 2) / (2 * (half_width / 2) ** 2))
                for place, weight in enumerate(softmax)
            ]
            weights = attended.weights()[row, t]
            assert weights.tolist() == pytest.approx(expected + [0.0] * (5 - length), abs=1e-12)
            context = (weights @ memory.states[row]).tolist()
            assert attended.context[row, t].tolist() == pytest.approx(context, abs=1e-12)


def test_local_p_of_one_position_looks_at_it(query, memory, randomized) -> None:
    attention = randomized(PredictiveLocalAttention(**SIZES, half_width=1))
    short = type(memory)(memory.states[:, :1], memory.mask[:, :1], memory.summary)
    attended = attention(query, attention.start(short))
    assert attended.weights().tolist() == [[[1.0]] * 3] * 2


def far_memory(dtype: torch.dtype) -> Memory:
    """A source of 1,500 positions, all alike, so that only their places matter."""
    states = torch.ones(1, 1500, 3, dtype=dtype)
    return Memory(states, torch.ones(1, 1500, dtype=torch.bool), states[:, 0])


@pytest.mark.parametrize("half_width", [1, 10])
def test_local_m_sees_the_same_window_in_bfloat16(half_width: int) -> None:
    attention = MonotonicLocalAttention(**SIZES, half_width=half_width).bfloat16()
    attended = attention(torch.zeros(1, 1500, 4).bfloat16(), attention.start(far_memory(BFLOAT16)))
    places = torch.arange(1500)
    near = (places - places.unsqueeze(1)).abs() <= half_width
    assert torch.equal(attended.weights()[0] > 0, near)


@pytest.mark.parametrize("half_width", [1, 10])
def test_local_p_sees_the_same_window_in_bfloat16(half_width: int) -> None:
    attention = PredictiveLocalAttention(**SIZES, half_width=half_width)
    nn.init.constant_(attention.hidden.weight, 100.0)  # tanh is 1: what is predicted is exact
    nn.init.constant_(attention.centre.weight, 0.34375)  # the centre is 1196.1
    query = torch.ones(1, 1, 4)
    expected = attention(query, attention.start(far_memory(torch.float32))).weights()
    attention = attention.bfloat16()
    narrow = attention(query.bfloat16(), attention.start(far_memory(BFLOAT16))).weights()
    assert expected[0, 0].nonzero().flatten().tolist()[0] == 1197 - half_width
    assert torch.equal(narrow > 0, expected > 0)
    torch.testing.assert_close(narrow.float(), expected, rtol=0.02, atol=0)


@pytest.mark.parametrize("kind", [MonotonicLocalAttention, PredictiveLocalAttention])
def test_a_window_sees_a_neighbour_at_least(kind) -> None:
    with pytest.raises(InputError, match=r"^`half_width` must be at least 1, but is 0\.$"):
        kind(**SIZES, half_width=0)
