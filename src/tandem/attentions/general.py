"""General attention: Luong et al. (2015), section 3.1, eq. 8 ("general")."""

from torch import Tensor, nn

from tandem.attentions.base import ScoreAttention


class GeneralAttention(ScoreAttention):
    """Scores ``q_t W m_s``: a dot product after a linear map of the states.

    :param query_size: size Q of the decoder's queries, given by the decoder.
    :param memory_size: size M of the encoder's states, given by the builder.
    """

    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__()
        self.key = nn.Linear(memory_size, query_size, bias=False)
        self.output_size = memory_size

    def keys(self, states: Tensor) -> Tensor:
        """(B, S, M) -> (B, S, Q)."""
        return self.key(states)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Query (B, T, Q), keys (B, S, Q) -> (B, T, S)."""
        return query @ keys.transpose(1, 2)
