"""Multi-head attention over the memory: Vaswani et al. (2017), section 3.2."""

import torch
from torch import Tensor, nn

from tandem.attentions.base import Attended, Attention, by_hypothesis, by_source
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.layers.dropout import Dropout
from tandem.layers.scaled_dot_product import (
    attend,
    attention_weights,
    head_size,
    merge_heads,
    split_heads,
)


class MultiHeadAttention(Attention):
    """Scaled dot products in several subspaces, concatenated.

    The paper's output matrix ``W^O`` is the decoder's own: every decoder maps the context back to
    its size by a linear layer. The reported weights are the mean over heads.

    :param query_size: size Q of the decoder's queries, given by the decoder.
    :param memory_size: size M of the encoder's states, given by the builder.
    :param num_heads: must divide ``query_size``.
    :param dropout: probability of dropping a weight; above 0 it rules out the fused kernel.
    """

    def __init__(
        self, *, query_size: int, memory_size: int, num_heads: int, dropout: float
    ) -> None:
        super().__init__()
        head_size(query_size, num_heads)
        self.num_heads = num_heads
        self.query = nn.Linear(query_size, query_size)
        self.key_value = nn.Linear(memory_size, 2 * query_size)
        self.dropout = Dropout(dropout)
        self.output_size = query_size
        for weight in (self.query.weight, *self.key_value.weight.chunk(2)):
            nn.init.xavier_uniform_(weight)
        nn.init.zeros_(self.query.bias)
        nn.init.zeros_(self.key_value.bias)

    def start(self, memory: Memory) -> State:
        """Project keys and values once: (B, S, M) -> (B, heads, S, Q / heads) each."""
        keys, values = self.key_value(memory.states).chunk(2, dim=-1)
        heads = (split_heads(keys, self.num_heads), split_heads(values, self.num_heads))
        if not torch.is_grad_enabled():  # many steps read them, which would each copy them
            heads = (heads[0].contiguous(), heads[1].contiguous())
        return State(fixed=(*heads, memory.mask[:, None, None]))

    def forward(self, query: Tensor, state: State) -> Attended:
        """Query (N, T, Q) -> context (N, T, Q), weights (N, T, S)."""
        keys, values, mask = state.fixed
        projected = by_source(self.query(query), keys.size(0))  # (B, K x T, Q)
        heads = split_heads(projected, self.num_heads)  # (B, heads, K x T, Q / heads)
        context = merge_heads(attend(heads, keys, values, mask, self.dropout))  # (B, K x T, Q)

        def weights() -> Tensor:
            return by_hypothesis(attention_weights(heads, keys, mask).mean(1), query)

        return Attended(by_hypothesis(context, query), weights, state)
