"""Local attention with predictive alignment: Luong et al. (2015), section 3.2 ("local-p")."""

import torch
from torch import Tensor, nn

from tandem.attentions.base import Attended, Attention, by_hypothesis, by_source
from tandem.attentions.window import checked_half_width, offsets, window_weights
from tandem.core.memory import Memory
from tandem.core.precision import wide_type
from tandem.core.state import State


class PredictiveLocalAttention(Attention):
    """Predicts its centre ``p_t = (S - 1) sigmoid(v . tanh(W q_t))`` and favours what is near.

    Inside the window of ``half_width`` D the softmax weights of the general score are multiplied
    by a Gaussian of standard deviation D / 2 (eq. 10), so they sum to less than 1, as in the
    paper. Positions count from 0 here, hence S - 1 for the last one.

    :param query_size: size Q of the decoder's queries, given by the decoder.
    :param memory_size: size M of the encoder's states, given by the builder.
    :param half_width: D, positions seen on either side of the centre, at least 1.
    """

    half_width: int

    def __init__(self, *, query_size: int, memory_size: int, half_width: int) -> None:
        super().__init__()
        self.key = nn.Linear(memory_size, query_size, bias=False)
        self.hidden = nn.Linear(query_size, query_size, bias=False)
        self.centre = nn.Linear(query_size, 1, bias=False)
        self.half_width = checked_half_width(half_width)
        self.output_size = memory_size

    def start(self, memory: Memory) -> State:
        """Project the keys once."""
        last = memory.mask.sum(1, keepdim=True) - 1  # (B, 1)
        return State(fixed=(self.key(memory.states), memory.states, memory.mask, last))

    def forward(self, query: Tensor, state: State) -> Attended:
        """Query (N, T, Q) -> context (N, T, M), weights (N, T, S)."""
        keys, values, mask, last = state.fixed
        queries = by_source(query, keys.size(0))  # (B, K x T, Q)
        predicted = self.centre(torch.tanh(self.hidden(queries))).squeeze(-1)
        centre = last * torch.sigmoid(predicted.to(wide_type(predicted.dtype)))  # (B, K x T)
        scores = queries @ keys.transpose(1, 2)  # (B, K x T, S)
        softmax = window_weights(scores, mask, centre, self.half_width)
        deviation = self.half_width / 2
        distance = offsets(scores.size(-1), centre)  # (B, K x T, S)
        weights = softmax * torch.exp(-distance.square() / (2 * deviation**2))
        context = by_hypothesis(weights.to(values.dtype) @ values, query)  # (N, T, M)
        return Attended(context, lambda: by_hypothesis(weights, query), state)
