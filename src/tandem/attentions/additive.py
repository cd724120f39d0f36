"""Additive attention: Bahdanau et al. (2015), section A.1.2, without their bias terms."""

import torch
from torch import Tensor, nn

from tandem.attentions.base import ScoreAttention


class AdditiveAttention(ScoreAttention):
    """Scores ``v . tanh(Q q_t + K m_s)``; costs B x T x S x A memory when T queries come at once.

    The query is the decoder's state of this step, not of the one before as in the paper, so that
    every decoder can ask in the same way.

    :param query_size: size Q of the decoder's queries, given by the decoder.
    :param memory_size: size M of the encoder's states, given by the builder.
    :param size: size A of the space in which they are compared.
    """

    def __init__(self, *, query_size: int, memory_size: int, size: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_size, size, bias=False)
        self.key = nn.Linear(memory_size, size, bias=False)
        self.energy = nn.Linear(size, 1, bias=False)
        self.output_size = memory_size

    def keys(self, states: Tensor) -> Tensor:
        """(B, S, M) -> (B, S, A)."""
        return self.key(states)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Query (B, T, Q), keys (B, S, A) -> (B, T, S)."""
        pairs = torch.tanh(self.query(query).unsqueeze(2) + keys.unsqueeze(1))  # (B, T, S, A)
        return self.energy(pairs).squeeze(-1)  # (B, T, S)
