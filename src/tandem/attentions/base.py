"""What every attention promises, and the part that score-based ones share."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from tandem.core.masks import mask_scores
from tandem.core.memory import Memory
from tandem.core.precision import product_type
from tandem.core.state import State

Weights = Callable[[], Tensor] | None
"""Computes the weights (N, T, S) when asked: pictures want them, training seldom does."""


@dataclass(frozen=True)
class Attended:
    """The context vectors and weights for T queries."""

    context: Tensor
    """(N, T, C)"""
    weights: Weights
    """Makes (N, T, S), rows summing to 1 unless the paper's don't; None if there are none."""
    state: State


class Attention(nn.Module, ABC):
    """Attends to the memory, the encoder's states.

    ``start`` prepares the memory of B sources once. ``forward`` then answers T queries for each
    of N = B x K hypotheses; what it takes from the memory stays at B rows, and the K hypotheses
    of a source ask as K more queries (see :func:`by_source`).
    """

    output_size: int
    """C, size of the context."""

    reads_query: bool = True
    """Whether the query matters; if not, a decoder makes none, so no parameter stays untrained."""

    walks: bool = False
    """Whether it goes from position to position, which a compiler would write out."""

    half_width: int | None = None
    """How many positions it sees on either side of a centre; None: it sees all."""

    @abstractmethod
    def start(self, memory: Memory) -> State:
        """Prepare: whatever does not depend on a query goes to ``fixed``."""

    @abstractmethod
    def forward(self, query: Tensor, state: State) -> Attended:
        """Query (N, T, Q) -> context (N, T, C), weights (N, T, S), the next state."""


def by_source(tensor: Tensor, sources: int) -> Tensor:
    """(N, T, ...) -> (B, K x T, ...): the queries of one source side by side."""
    return tensor.reshape(sources, -1, *tensor.shape[2:])


def by_hypothesis(tensor: Tensor, query: Tensor) -> Tensor:
    """(B, K x T, C) -> (N, T, C): the way back, to rows and length of a query (N, T, Q)."""
    return tensor.reshape(*query.shape[:2], tensor.size(-1))


class ScoreAttention(Attention):
    """Attention by a score for each pair of query and key, softmax over the source, and a mean.

    A subclass says how keys come from the memory and how a pair is scored; the context is
    ``c_t = sum_s softmax_s(score(q_t, k_s)) m_s``.
    """

    @abstractmethod
    def keys(self, states: Tensor) -> Tensor:
        """(B, S, M) -> (B, S, A), once a source."""

    @abstractmethod
    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Query (B, T, Q), keys (B, S, A) -> (B, T, S)."""

    def start(self, memory: Memory) -> State:
        """Prepare the keys, and the values and the mask as each step needs them."""
        dtype = product_type(memory.states)
        values, mask = memory.states.to(dtype), mask_scores(memory.mask.unsqueeze(1), dtype)
        return State(fixed=(self.keys(memory.states), values, mask))

    def forward(self, query: Tensor, state: State) -> Attended:
        """Query (N, T, Q) -> context (N, T, M), weights (N, T, S)."""
        keys, values, mask = state.fixed
        scores = self.score(by_source(query, keys.size(0)), keys)  # (B, K x T, S)
        weights = (scores + mask).softmax(-1)
        context = by_hypothesis(weights @ values, query)  # (B, K x T, M) -> (N, T, M)
        return Attended(context, lambda: by_hypothesis(weights, query), state)
