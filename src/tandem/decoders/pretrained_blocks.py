"""What joins blocks of transformers' networks to attentions and states of ours."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from tandem.attentions.base import Attended, Attention, Weights, by_hypothesis, by_source
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.layers.dropout import Dropout
from tandem.layers.scaled_dot_product import attend, attention_weights, merge_heads, split_heads
from tandem.pretrained.decoder_architectures import CrossAttentionPlace

Caches = tuple[tuple[Tensor, ...], ...]
"""Keys and values of each block, (N, heads, P, size) each; nothing before the first position."""


class Past:
    """Stands where a network expects its cache, for one call.

    It gives the network the keys and values of earlier positions, and the attentions beside it
    their states. What it is made from stays as it is.
    """

    is_compileable = False

    def __init__(self, caches: Caches, states: tuple[State, ...]) -> None:
        self._caches = list(caches)
        self._states = list(states)
        self.weights: Weights = None
        """Of the last attention that was asked."""

    def after(self) -> tuple[Caches, tuple[State, ...]]:
        """What the next call begins with."""
        return tuple(self._caches), tuple(self._states)

    def attend(self, place: int, attention: Attention, query: Tensor) -> Tensor:
        """Ask the attention of a block: query (N, T, Q) -> context (N, T, C)."""
        attended: Attended = attention(query, self._states[place])
        self._states[place], self.weights = attended.state, attended.weights
        return attended.context

    def update(self, keys: Tensor, values: Tensor, layer_idx: int) -> tuple[Tensor, Tensor]:
        """Keys and values of a block's positions up to now; networks call this."""
        past = self._caches[layer_idx]
        if past:
            keys, values = torch.cat((past[0], keys), 2), torch.cat((past[1], values), 2)
        self._caches[layer_idx] = keys, values
        return keys, values

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """How many positions were before; networks call this."""
        past = self._caches[layer_idx]
        return past[0].size(2) if past else 0

    def get_query_offset(self, layer_idx: int = 0) -> int:
        """The position of the first query; networks call this."""
        return self.get_seq_length(layer_idx)

    def get_mask_sizes(self, query_length: int, layer_idx: int = 0) -> tuple[int, int]:
        """How many keys there will be, and the position of the first; networks call this."""
        return self.get_seq_length(layer_idx) + query_length, 0


def _past(values: Iterable[Any]) -> Past:
    """The one among what a network passes on to its blocks."""
    return next(value for value in values if isinstance(value, Past))


class AttendingBlock(nn.Module):
    """A block of a network that reads no source, and attention behind it in a residual.

    What attention adds is 0 before training, so that this begins with the network as it is.

    :param wrapped: the block.
    :param place: its number.
    :param size: H, of its states.
    """

    def __init__(self, wrapped: nn.Module, attention: Attention, place: int, size: int) -> None:
        super().__init__()
        self.wrapped = wrapped
        self.attention = attention
        self.norm = nn.LayerNorm(size) if attention.reads_query else nn.Identity()
        self.output = nn.Linear(attention.output_size, size)
        self.place = place
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, states: Tensor, *passed: Any, **named: Any) -> Any:
        """States (N, T, H), and what else the network passes on -> what the block returns."""
        returned = self.wrapped(states, *passed, **named)
        states, *rest = returned if isinstance(returned, tuple) else (returned,)
        past = _past((*passed, *named.values()))
        states = states + self.output(past.attend(self.place, self.attention, self.norm(states)))
        return (states, *rest) if isinstance(returned, tuple) else states


class CrossAttention(nn.Module):
    """Stands where a block has its attention over the encoder's states.

    :param attention: what is asked.
    :param output: maps the context to the size of the states.
    :param place: the block's number.
    :param num_results: how many values the block expects, of which the first are the states.
    """

    def __init__(
        self, attention: Attention, output: nn.Module, *, place: int, num_results: int
    ) -> None:
        super().__init__()
        self.attention = attention
        self.output = output
        self.place = place
        self.num_results = num_results

    def forward(self, hidden_states: Tensor, **passed: Any) -> tuple[Tensor | None, ...]:
        """States (N, T, H), and what else the block passes on -> the same size."""
        past = _past(passed.values())
        changed = self.output(past.attend(self.place, self.attention, hidden_states))
        return (changed, *(None,) * (self.num_results - 1))


class NativeAttention(Attention):
    """The attention over the encoder's states that a checkpoint was trained with.

    Its context is what its own output map makes of it.

    :param wrapped: the module of transformers.
    :param place: where it stands, with the names of its maps.
    """

    def __init__(self, wrapped: Any, place: CrossAttentionPlace) -> None:
        super().__init__()
        self.wrapped = wrapped
        self.projections = place.projections
        _, keys, _, output = self._maps()
        self.num_heads: int = getattr(wrapped, "n_heads", None) or wrapped.num_heads
        self.scale = wrapped.scaling * (keys.out_features // self.num_heads) ** 0.5
        self.dropout = Dropout(wrapped.dropout)
        self.output_size: int = output.out_features

    def start(self, memory: Memory) -> State:
        """Keys and values once: (B, S, H) -> (B, heads, S, size) each."""
        _, keys, values, _ = self._maps()
        heads = [split_heads(to(memory.states), self.num_heads) for to in (keys, values)]
        if not torch.is_grad_enabled():  # many steps read them, which would each copy them
            heads = [one.contiguous() for one in heads]
        return State(fixed=(*heads, memory.mask[:, None, None]))

    def forward(self, query: Tensor, state: State) -> Attended:
        """Query (N, T, H) -> context (N, T, H), weights (N, T, S), the mean over heads."""
        keys, values, mask = state.fixed
        to_query, *_, output = self._maps()
        asked = by_source(to_query(query) * self.scale, keys.size(0))  # (B, K x T, H')
        heads = split_heads(asked, self.num_heads)
        context = merge_heads(attend(heads, keys, values, mask, self.dropout))

        def weights() -> Tensor:
            return by_hypothesis(attention_weights(heads, keys, mask).mean(1), query)

        return Attended(output(by_hypothesis(context, query)), weights, state)

    def _maps(self) -> tuple[nn.Linear, ...]:
        """Of query, keys, values and output."""
        return tuple(getattr(self.wrapped, name) for name in self.projections)
