"""Sublayers of a Transformer: Vaswani et al. (2017), section 3."""

import math
from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from tandem.core.cache import Cache
from tandem.core.errors import InputError
from tandem.layers.dropout import Dropout
from tandem.layers.positions import KINDS, Offset, Rotary, added_positions
from tandem.layers.scaled_dot_product import attend, attention_weights, head_size, merge_heads

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "silu": F.silu,
}


class ScaledInputs(nn.Module):
    """What stands before the first layer: inputs times ``H ** 0.5``, plus positions (section 3.4).

    :param input_size: E; mapped to H if it differs.
    :param size: H.
    :param positions: sinusoidal, learned, rotary or none.
    :param max_length: longest sequence for learned positions.
    :param dropout: probability on the result.
    """

    def __init__(
        self, input_size: int, size: int, *, positions: str, max_length: int, dropout: float
    ) -> None:
        super().__init__()
        self.input = nn.Identity() if input_size == size else nn.Linear(input_size, size)
        self.scale = math.sqrt(size)
        self.positions = added_positions(positions, size, max_length, KINDS)
        self.dropout = Dropout(dropout)

    def forward(self, inputs: Tensor, offset: Offset) -> Tensor:
        """Inputs (B, T, E), of which the first stands at position ``offset`` -> (B, T, H)."""
        return self.dropout(self.positions(self.input(inputs) * self.scale, offset))


class Residual(nn.Module):
    """Wraps a sublayer: post-norm ``norm(x + f(x))`` or pre-norm ``x + f(norm(x))``.

    Pre-norm: Xiong et al. (2020). A pre-norm stack needs one more norm at its end.

    :param norm: ``pre`` or ``post``.
    :param reads: whether the sublayer reads what comes in; if not, pre-norm has nothing to do.
    """

    def __init__(self, size: int, norm: str, dropout: float, *, reads: bool = True) -> None:
        super().__init__()
        if norm not in ("pre", "post"):
            raise InputError(f"`norm` must be pre or post, but is {norm!r}.")
        self.norm = nn.LayerNorm(size) if reads or norm == "post" else nn.Identity()
        self.dropout = Dropout(dropout)
        self.is_pre = norm == "pre"

    def before(self, states: Tensor) -> Tensor:
        """What the sublayer reads: (B, T, H) -> (B, T, H)."""
        return self.norm(states) if self.is_pre else states

    def after(self, states: Tensor, change: Tensor) -> Tensor:
        """Add what the sublayer gave, ``change`` (B, T, H), to what came in."""
        summed = states + self.dropout(change)
        return summed if self.is_pre else self.norm(summed)


class SelfAttention(nn.Module):
    """Multi-head attention of a sequence over its own past and present, or over all of itself.

    :param size: H, a multiple of ``num_heads``.
    :param rotary: whether queries and keys are turned by their positions.
    """

    def __init__(self, size: int, num_heads: int, dropout: float, rotary: bool) -> None:
        super().__init__()
        self.num_heads = num_heads
        per_head = head_size(size, num_heads)
        self.project = nn.Linear(size, 3 * size)
        self.output = nn.Linear(size, size)
        self.dropout = Dropout(dropout)
        self.rotary = Rotary(per_head) if rotary else None
        for part in self.project.weight.chunk(3):  # the three are separate matrices in the paper
            nn.init.xavier_uniform_(part)
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.project.bias)
        nn.init.zeros_(self.output.bias)

    def forward(
        self, states: Tensor, mask: Tensor, past: tuple[Cache, Cache] | None, offset: Offset
    ) -> tuple[Tensor, tuple[Cache, Cache] | None]:
        """Attend.

        :param states: (N, T, H), of B sources with K rows each.
        :param mask: bool, broadcasts to (B, heads, K x T, P'): which rows see which of the P'
            positions that are readable once K x T more are in the caches.
        :param past: keys and values of earlier positions in all rows of a source; None: nothing
            is to be kept, and each row is a source.
        :param offset: the position of the first state.
        :return: (N, T, H), and keys and values of all positions up to now.
        """
        rows, length, size = states.shape
        sources = rows if past is None else past[0].buffer.size(0)
        query, keys, values = self._projected(states, sources, offset)
        caches = None
        if past is not None:
            caches = past[0].append(keys), past[1].append(values)
            keys, values = (cache.readable for cache in caches)
        attended = attend(query, keys, values, mask, self.dropout)
        return self.output(merge_heads(attended).view(rows, length, size)), caches

    def weights(self, states: Tensor, mask: Tensor, offset: Offset) -> Tensor:
        """What :meth:`forward` weighs the values with if there is no past: (N, heads, T, T)."""
        query, keys, _ = self._projected(states, len(states), offset)
        return attention_weights(query, keys, mask[..., : keys.size(2)])

    def _projected(self, states: Tensor, sources: int, offset: Offset) -> tuple[Tensor, ...]:
        """Query, keys and values of all rows of each source: (B, heads, K x T, H / heads)."""
        size = states.size(2)
        asked, values = self.project(states).split((2 * size, size), dim=2)
        if self.rotary is not None:
            asked = self.rotary(asked, offset)
        return tuple(
            part.reshape(sources, -1, self.num_heads, size // self.num_heads).transpose(1, 2)
            for part in (*asked.chunk(2, dim=2), values)
        )


class FeedForward(nn.Module):
    """Two linear maps with an activation between them, at each position: eq. 2.

    :param activation: one of relu, gelu, silu.
    """

    def __init__(self, size: int, inner_size: int, activation: str, dropout: float) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise InputError(
                f"`activation` must be one of {', '.join(ACTIVATIONS)}, but is {activation!r}."
            )
        self.expand = nn.Linear(size, inner_size)
        self.contract = nn.Linear(inner_size, size)
        self.activation = ACTIVATIONS[activation]
        self.dropout = Dropout(dropout)
        for linear in (self.expand, self.contract):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, states: Tensor) -> Tensor:
        """(B, T, H) -> (B, T, H)."""
        return self.contract(self.dropout(self.activation(self.expand(states))))
