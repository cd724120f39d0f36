"""Dot attention: Luong et al. (2015), section 3.1, eq. 8 ("dot")."""

from torch import Tensor

from tandem.attentions.base import ScoreAttention
from tandem.core.errors import InputError


class DotAttention(ScoreAttention):
    """Scores ``q_t . m_s``; it has no parameters, so both sizes must be equal.

    :param query_size: size Q of the decoder's queries, given by the decoder.
    :param memory_size: size M of the encoder's states, given by the builder.
    :raises InputError: if the sizes differ.
    """

    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__()
        if query_size != memory_size:
            raise InputError(
                f"attention=dot needs decoder queries as large as the encoder's states, but they "
                f"have sizes {query_size} and {memory_size}; set decoder.hidden_size and "
                "encoder.hidden_size to the same value or use attention=general."
            )
        self.output_size = memory_size

    def keys(self, states: Tensor) -> Tensor:
        """The states themselves."""
        return states

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Query (B, T, Q), keys (B, S, Q) -> (B, T, S)."""
        return query @ keys.transpose(1, 2)
