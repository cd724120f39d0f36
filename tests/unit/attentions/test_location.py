"""Location-aware attention: the weights of one step shape the next."""

import re

import pytest
import torch

from tandem.attentions import LocationAttention
from tandem.core.errors import InputError

REACH = 1  # positions on either side that a filter of width 3 sees


def make(randomized, *, cumulative: bool = False) -> LocationAttention:
    return randomized(
        LocationAttention(
            query_size=4,
            memory_size=3,
            size=6,
            num_filters=2,
            kernel_size=3,
            cumulative=cumulative,
        )
    )


def test_weights_before_the_first_step_are_uniform_over_the_source(memory, randomized) -> None:
    before = make(randomized).start(memory).carry
    assert before.tolist() == [[0.2] * 5, [0.5, 0.5, 0, 0, 0]]


@pytest.mark.parametrize("cumulative", [False, True])
def test_equals_an_explicit_loop(query, memory, lengths, randomized, cumulative) -> None:
    attention = make(randomized, cumulative=cumulative)
    weights = attention(query, attention.start(memory)).weights()
    kernel, vector = attention.filters.weight[:, 0], attention.energy.weight[0]
    for row, length in enumerate(lengths):
        looked_at = [0.0 if cumulative else 1 / length] * length
        for t, asked in enumerate(query[row]):
            scores = []
            for s in range(length):
                seen = torch.zeros(2, dtype=torch.float64)
                for shift in range(-REACH, REACH + 1):
                    if 0 <= s + shift < length:
                        seen += kernel[:, shift + REACH] * looked_at[s + shift]
                inner = (
                    attention.query(asked)
                    + attention.key.weight @ memory.states[row, s]
                    + attention.location.weight @ seen
                )
                scores.append(vector @ torch.tanh(inner))
            last = torch.stack(scores).softmax(0).tolist()
            assert weights[row, t, :length].tolist() == pytest.approx(last, abs=1e-12)
            assert weights[row, t, length:].tolist() == [0.0] * (5 - length)
            sums = [a + b for a, b in zip(looked_at, last, strict=True)]
            looked_at = sums if cumulative else last


def test_the_last_weights_are_carried(query, memory, randomized) -> None:
    attention = make(randomized)
    attended = attention(query, attention.start(memory))
    assert torch.equal(attended.state.carry, attended.weights()[:, -1])
    mean = attended.weights() @ memory.states
    torch.testing.assert_close(attended.context, mean, rtol=0, atol=1e-12)


def test_the_sum_of_all_weights_is_carried(query, memory, randomized) -> None:
    attention = make(randomized, cumulative=True)
    start = attention.start(memory)
    assert start.carry.abs().max() == 0
    attended = attention(query, start)
    torch.testing.assert_close(attended.state.carry, attended.weights().sum(1), rtol=0, atol=1e-12)


def test_kernel_size_must_be_odd() -> None:
    message = (
        "`attention.kernel_size` must be odd, so that a position sees as far left as right, but "
        "is 4."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        LocationAttention(
            query_size=4, memory_size=3, size=6, num_filters=2, kernel_size=4, cumulative=False
        )
