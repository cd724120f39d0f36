"""No attention: the same fixed-size context vector at every step, Cho et al. (2014), eq. 8."""

from torch import Tensor

from tandem.attentions.base import Attended, Attention
from tandem.core.memory import Memory
from tandem.core.state import State


class NoAttention(Attention):
    """Returns the encoder's summary whatever the query; it has no parameters and no weights.

    :param query_size: unused by this type; every attention is built with the same two sizes.
    :param memory_size: size M of the summary.
    """

    reads_query = False

    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__()
        self.output_size = memory_size

    def start(self, memory: Memory) -> State:
        """Keep the summary (B, M)."""
        return State(fixed=memory.summary)

    def forward(self, query: Tensor, state: State) -> Attended:
        """Query (N, T, Q) -> context (N, T, M), no weights."""
        rows, length, _ = query.shape
        summary = state.fixed
        times = rows // summary.size(0)
        context = summary[:, None, None].expand(-1, times, length, -1)  # (B, K, T, M)
        return Attended(context.reshape(rows, length, -1), None, state)
