"""No attention: the summary, whatever is asked."""

import torch

from tandem.attentions import NoAttention


def test_every_query_gets_the_summary_of_its_source(query, memory) -> None:
    attention = NoAttention(query_size=4, memory_size=3)
    many = query.repeat_interleave(2, 0)
    attended = attention(many, attention.start(memory).repeat(2))
    assert attended.weights is None
    assert list(attention.parameters()) == []
    for row in range(4):
        assert torch.equal(attended.context[row], memory.summary[row // 2].expand(3, 3))
