"""Transformer decoder with any attention over the memory: Vaswani et al. (2017), section 3.1."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from tandem.attentions.base import Attended, Attention
from tandem.core.cache import Cache
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.decoders.base import Decoded, Decoder
from tandem.layers.positions import Offset
from tandem.layers.region import region
from tandem.layers.scaled_dot_product import causal_mask
from tandem.layers.transformer import FeedForward, Residual, ScaledInputs, SelfAttention

Caches = tuple[Cache, Cache]
"""Keys and values of what a source's hypotheses wrote so far, (B, heads, P, H / heads) each."""

DROP_EVERY = 8
"""Positions after which search drops what no hypothesis sees."""


class TransformerDecoderLayer(nn.Module):
    """Causal self-attention, attention over the memory, a feed-forward map; each in a residual."""

    def __init__(
        self,
        size: int,
        memory_size: int,
        *,
        attention: Callable[..., Attention],
        num_heads: int,
        feed_forward_size: int,
        norm: str,
        activation: str,
        rotary: bool,
        dropout: float,
        attention_dropout: float,
        activation_dropout: float,
    ) -> None:
        super().__init__()
        self.self_attention = SelfAttention(size, num_heads, attention_dropout, rotary)
        self.self_residual = Residual(size, norm, dropout)
        self.attention = attention(query_size=size, memory_size=memory_size)
        self.context = nn.Linear(self.attention.output_size, size)
        self.residual = Residual(size, norm, dropout, reads=self.attention.reads_query)
        self.feed_forward = FeedForward(size, feed_forward_size, activation, activation_dropout)
        self.feed_forward_residual = Residual(size, norm, dropout)
        nn.init.xavier_uniform_(self.context.weight)
        nn.init.zeros_(self.context.bias)

    def start(self, memory: Memory) -> State:
        """What attention makes of the memory."""
        return self.attention.start(memory)

    @region(compiles=True)
    def forward(
        self, states: Tensor, mask: Tensor, caches: Caches, offset: Offset, attention_state: State
    ) -> tuple[Tensor, Caches, Attended]:
        """States (N, T, H) at ``offset``, mask of :func:`path_mask` -> states, the longer caches,
        what was attended.
        """
        read = self.self_residual.before(states)
        changed, longer = self.self_attention(read, mask, caches, offset)
        assert longer is not None
        states = self.self_residual.after(states, changed)
        attended = self.attention(self.residual.before(states), attention_state)
        states = self.residual.after(states, self.context(attended.context))
        changed = self.feed_forward(self.feed_forward_residual.before(states))
        return self.feed_forward_residual.after(states, changed), longer, attended


class TransformerDecoder(Decoder):
    """Layers of causal self-attention and attention, with cached keys and values.

    :param input_size: E, given by the builder; mapped to ``hidden_size`` if it differs.
    :param memory_size: M, given by the builder.
    :param attention: makes an attention from ``query_size`` and ``memory_size``.
    :param hidden_size: D, size of the states and features.
    :param num_layers: number of layers.
    :param num_heads: heads of self-attention; must divide ``hidden_size``.
    :param feed_forward_size: inner size of the feed-forward maps.
    :param norm: post (the paper's) or pre (Xiong et al. 2020).
    :param activation: relu, gelu or silu.
    :param positions: sinusoidal, learned, rotary or none.
    :param max_length: longest target for learned positions.
    :param input_dropout: probability on the inputs with their positions.
    :param dropout: probability on what each sublayer adds.
    :param attention_dropout: probability of dropping a weight of self-attention.
    :param activation_dropout: probability inside the feed-forward maps.
    """

    def __init__(
        self,
        input_size: int,
        memory_size: int,
        *,
        attention: Callable[..., Attention],
        hidden_size: int,
        num_layers: int,
        num_heads: int,
        feed_forward_size: int,
        norm: str,
        activation: str,
        positions: str,
        max_length: int,
        input_dropout: float,
        dropout: float,
        attention_dropout: float,
        activation_dropout: float,
    ) -> None:
        super().__init__()
        self.inputs = ScaledInputs(
            input_size,
            hidden_size,
            positions=positions,
            max_length=max_length,
            dropout=input_dropout,
        )
        self.layers = nn.ModuleList(
            TransformerDecoderLayer(
                hidden_size,
                memory_size,
                attention=attention,
                num_heads=num_heads,
                feed_forward_size=feed_forward_size,
                norm=norm,
                activation=activation,
                rotary=positions == "rotary",
                dropout=dropout,
                attention_dropout=attention_dropout,
                activation_dropout=activation_dropout,
            )
            for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(hidden_size) if norm == "pre" else nn.Identity()
        self.num_heads = num_heads
        self.output_size = hidden_size

    @property
    def layer_outputs(self) -> list[nn.Module]:
        """See :class:`Decoder`; before the last norm, if there is one."""
        return list(self.layers)

    def start(self, memory: Memory) -> State:
        """Empty caches, in which nothing has been seen."""
        rows, size = memory.summary.size(0), self.output_size // self.num_heads
        empty = Cache(memory.summary.new_zeros(rows, self.num_heads, 0, size))
        attended = [cast(TransformerDecoderLayer, layer).start(memory) for layer in self.layers]
        return State(
            fixed=tuple((empty, empty) for _ in attended),
            carry=(0, memory.mask[:, :0], 0, tuple(attended)),
        )

    def forward(self, inputs: Tensor, state: State) -> Decoded:
        """Inputs (N, T, E) -> features (N, T, D).

        The keys and values of a source's hypotheses lie together and are never reordered; which of
        them belong to its own past is what a hypothesis carries: ``seen`` (N, P). From time to
        time those that no hypothesis sees any more are dropped.
        """
        offset, seen, since, attention_states = state.carry
        length, sources = inputs.size(1), state.fixed[0][0].buffer.size(0)
        layers = state.fixed
        if inputs.size(0) > sources and since >= DROP_EVERY:
            layers, seen = without_unseen(layers, seen)
            since = 0
        keys, _ = layers[0]
        positions = keys.positions_after(length * inputs.size(0) // sources)
        mask = path_mask(seen, length, sources, positions)
        states = self.inputs(inputs, offset)
        caches, carried, weights = [], [], None
        for layer, past, attention_state in zip(self.layers, layers, attention_states, strict=True):
            states, longer, attended = layer(states, mask, past, offset, attention_state)
            caches.append(longer)
            carried.append(attended.state)
            weights = attended.weights
        seen = see(seen, length, sources)
        after = State(tuple(caches), (offset + length, seen, since + length, tuple(carried)))
        return Decoded(self.norm(states), weights, after)


def path_mask(seen: Tensor, length: int, sources: int, positions: int) -> Tensor:
    """Which hypothesis sees what at each of T more positions: its own past and itself.

    :param seen: (N, P), which of the P positions written for a source are a hypothesis's own.
    :param length: T.
    :param sources: B; each has K of the N hypotheses.
    :param positions: P', at least P + K x T; nobody sees what is behind those.
    :return: bool, broadcasts to (B, heads, K x T, P').
    """
    rows, past = seen.shape
    width = rows // sources
    if width == 1:  # all that was written is its own
        return causal_mask(length, past, positions, seen.device)
    before = seen.view(sources, width, 1, past).expand(-1, -1, length, -1).flatten(1, 2)
    own = torch.eye(width, dtype=torch.bool, device=seen.device)  # (K, K)
    now = own.repeat_interleave(length, 0).repeat_interleave(length, 1)  # (K x T, K x T)
    now = now & causal_mask(length, 0, length, seen.device).repeat(width, width)
    behind = positions - past - width * length
    nobody = now.new_zeros(sources, width * length, behind)
    return torch.cat((before, now.expand(sources, -1, -1), nobody), dim=2).unsqueeze(1)


def without_unseen(layers: tuple[Caches, ...], seen: Tensor) -> tuple[tuple[Caches, ...], Tensor]:
    """The caches of all layers without positions that none of a source's hypotheses sees.

    As hypotheses have most of their past in common, few are left of K times as many positions.
    This reads from the device.

    :param seen: (N, P)
    """
    sources, past = layers[0][0].buffer.size(0), seen.size(1)
    by_source = seen.view(sources, -1, past)  # (B, K, P)
    is_seen = by_source.any(1)
    count = int(is_seen.sum(1).max())
    order = is_seen.byte().argsort(dim=1, descending=True, stable=True)[:, :count]  # (B, count)
    places = order.unsqueeze(1).expand(-1, by_source.size(1), -1)
    taken = tuple((keys.taken(order), values.taken(order)) for keys, values in layers)
    return taken, by_source.gather(2, places).flatten(0, 1)


def see(seen: Tensor, length: int, sources: int) -> Tensor:
    """What each hypothesis has seen after T more positions: (N, P) -> (N, P + K x T)."""
    width = seen.size(0) // sources
    own = torch.eye(width, dtype=torch.bool, device=seen.device)  # (K, K)
    own = own.repeat_interleave(length, 1)  # (K, K x T)
    return torch.cat((seen, own.repeat(sources, 1)), dim=1)
