"""Local attention with monotonic alignment: Luong et al. (2015), section 3.2 ("local-m")."""

import torch
from torch import Tensor, nn

from tandem.attentions.base import Attended, Attention, by_hypothesis, by_source
from tandem.attentions.window import checked_half_width, window_weights
from tandem.core.memory import Memory
from tandem.core.state import State


class MonotonicLocalAttention(Attention):
    """At step t it looks at source positions within ``half_width`` of t, by the general score.

    Beyond the source's end the centre stays at its last position, where the paper leaves the case
    open.

    :param query_size: size Q of the decoder's queries, given by the decoder.
    :param memory_size: size M of the encoder's states, given by the builder.
    :param half_width: D, positions seen on either side of the centre.
    """

    half_width: int

    def __init__(self, *, query_size: int, memory_size: int, half_width: int) -> None:
        super().__init__()
        self.key = nn.Linear(memory_size, query_size, bias=False)
        self.half_width = checked_half_width(half_width)
        self.output_size = memory_size

    def start(self, memory: Memory) -> State:
        """Project the keys once and stand at step 0."""
        fixed = (self.key(memory.states), memory.states, memory.mask, memory.mask.sum(1) - 1)
        return State(fixed, carry=0)

    def forward(self, query: Tensor, state: State) -> Attended:
        """Query (N, T, Q) -> context (N, T, M), weights (N, T, S)."""
        keys, values, mask, last = state.fixed
        rows, length, _ = query.shape
        sources = keys.size(0)
        scores = by_source(query, sources) @ keys.transpose(1, 2)  # (B, K x T, S)
        steps = state.carry + torch.arange(length, device=query.device)
        steps = steps.repeat(rows // sources)  # (K x T,)
        centre = torch.minimum(steps, last.unsqueeze(1))  # (B, K x T)
        weights = window_weights(scores, mask, centre, self.half_width)
        context = by_hypothesis(weights @ values, query)  # (N, T, M)
        after = State(state.fixed, carry=state.carry + length)
        return Attended(context, lambda: by_hypothesis(weights, query), after)
