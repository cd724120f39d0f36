"""Attentions by a score for each pair: explicit loops over queries and positions."""

import math
import re

import pytest
import torch

from tandem.attentions import AdditiveAttention, ConcatAttention, DotAttention, GeneralAttention
from tandem.core.errors import InputError
from tandem.core.memory import Memory


def check_by_loop(attention, query, memory, lengths, score) -> None:
    """Compare with softmax and mean written out, for ``score(query vector, state vector)``."""
    attended = attention(query, attention.start(memory))
    weights = attended.weights()
    for row, length in enumerate(lengths):
        for t, asked in enumerate(query[row]):
            scores = [score(asked, state).item() for state in memory.states[row, :length]]
            total = sum(math.exp(value) for value in scores)
            expected = [math.exp(value) / total for value in scores]
            assert weights[row, t, :length].tolist() == pytest.approx(expected, abs=1e-12)
            assert weights[row, t, length:].tolist() == [0.0] * (5 - length)
            context = sum(w * m for w, m in zip(expected, memory.states[row], strict=False))
            assert attended.context[row, t].tolist() == pytest.approx(context.tolist(), abs=1e-12)


def test_dot_by_hand() -> None:
    memory = Memory(
        torch.tensor([[[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]]),
        torch.tensor([[True, True, False]]),
        torch.zeros(1, 2),
    )
    attention = DotAttention(query_size=2, memory_size=2)
    query = torch.tensor([[[math.log(3), 0.0], [0.0, 0.0]]])
    attended = attention(query, attention.start(memory))
    assert attended.weights()[0, 0].tolist() == pytest.approx([0.75, 0.25, 0.0])
    assert attended.context[0, 0].tolist() == pytest.approx([0.75, 0.25])
    assert attended.context[0, 1].tolist() == pytest.approx([0.5, 0.5])


def test_dot_needs_equal_sizes() -> None:
    message = (
        "attention=dot needs decoder queries as large as the encoder's states, but they have "
        "sizes 4 and 6; set decoder.hidden_size and encoder.hidden_size to the same value or use "
        "attention=general."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        DotAttention(query_size=4, memory_size=6)


def test_general(query, memory, lengths, randomized) -> None:
    attention = randomized(GeneralAttention(query_size=4, memory_size=3))
    matrix = attention.key.weight  # (Q, M)
    check_by_loop(attention, query, memory, lengths, lambda q, m: q @ (matrix @ m))


def test_additive(query, memory, lengths, randomized) -> None:
    attention = randomized(AdditiveAttention(query_size=4, memory_size=3, size=6))
    for_query, for_key = attention.query.weight, attention.key.weight
    vector = attention.energy.weight[0]

    def score(q, m):
        return vector @ torch.tanh(for_query @ q + for_key @ m)

    check_by_loop(attention, query, memory, lengths, score)


def test_concat(query, memory, lengths, randomized) -> None:
    attention = randomized(ConcatAttention(query_size=4, memory_size=3))
    matrix = torch.cat((attention.query.weight, attention.key.weight), dim=1)  # (Q, Q + M)

    def score(q, m):
        inner = torch.tanh(matrix @ torch.cat((q, m)) + attention.query.bias)
        return attention.energy.weight[0] @ inner

    check_by_loop(attention, query, memory, lengths, score)
