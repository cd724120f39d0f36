"""Concat attention: Luong et al. (2015), section 3.1, eq. 8 ("concat")."""

import torch
from torch import Tensor, nn

from tandem.attentions.base import ScoreAttention


class ConcatAttention(ScoreAttention):
    """Scores ``v . tanh(W [q_t; m_s])``, where ``W`` maps back to the size of a query.

    ``W`` is kept as its two halves, so that the source's half is multiplied once.

    :param query_size: size Q of the decoder's queries, given by the decoder.
    :param memory_size: size M of the encoder's states, given by the builder.
    """

    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_size, query_size)
        self.key = nn.Linear(memory_size, query_size, bias=False)
        self.energy = nn.Linear(query_size, 1, bias=False)
        self.output_size = memory_size

    def keys(self, states: Tensor) -> Tensor:
        """(B, S, M) -> (B, S, Q)."""
        return self.key(states)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Query (B, T, Q), keys (B, S, Q) -> (B, T, S)."""
        pairs = torch.tanh(self.query(query).unsqueeze(2) + keys.unsqueeze(1))  # (B, T, S, Q)
        return self.energy(pairs).squeeze(-1)  # (B, T, S)
