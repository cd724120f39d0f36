"""Transformer encoder: Vaswani et al. (2017), section 3.1."""

from torch import Tensor, nn

from tandem.core.masks import masked_mean
from tandem.core.memory import Memory
from tandem.encoders.base import Encoder
from tandem.layers.region import region
from tandem.layers.transformer import FeedForward, Residual, ScaledInputs, SelfAttention


class TransformerEncoderLayer(nn.Module):
    """Self-attention and a feed-forward map, each in a residual."""

    def __init__(
        self,
        size: int,
        *,
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
        self.attention = SelfAttention(size, num_heads, attention_dropout, rotary)
        self.attention_residual = Residual(size, norm, dropout)
        self.feed_forward = FeedForward(size, feed_forward_size, activation, activation_dropout)
        self.feed_forward_residual = Residual(size, norm, dropout)

    @region(compiles=True)
    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """States (B, S, H), mask (B, 1, 1, S) -> (B, S, H)."""
        attended, _ = self.attention(self.attention_residual.before(states), mask, None, 0)
        states = self.attention_residual.after(states, attended)
        changed = self.feed_forward(self.feed_forward_residual.before(states))
        return self.feed_forward_residual.after(states, changed)


class TransformerEncoder(Encoder):
    """Layers of self-attention; the summary is the mean over the source.

    :param input_size: E, given by the builder; mapped to ``hidden_size`` if it differs.
    :param hidden_size: M, size of the states.
    :param num_layers: number of layers.
    :param num_heads: heads of self-attention; must divide ``hidden_size``.
    :param feed_forward_size: inner size of the feed-forward maps.
    :param norm: post (the paper's) or pre (Xiong et al. 2020).
    :param activation: relu, gelu or silu.
    :param positions: sinusoidal, learned, rotary or none.
    :param max_length: longest source for learned positions.
    :param input_dropout: probability on the inputs with their positions.
    :param dropout: probability on what each sublayer adds.
    :param attention_dropout: probability of dropping an attention weight.
    :param activation_dropout: probability inside the feed-forward maps.
    """

    def __init__(
        self,
        input_size: int,
        *,
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
            TransformerEncoderLayer(
                hidden_size,
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
        self.output_size = hidden_size

    @property
    def layer_outputs(self) -> list[nn.Module]:
        """See :class:`Encoder`; before the last norm, if there is one."""
        return list(self.layers)

    def forward(self, inputs: Tensor, mask: Tensor) -> Memory:
        """Inputs (B, S, E), mask (B, S) -> memory with states (B, S, M)."""
        states = self.inputs(inputs, 0)  # (B, S, M)
        for layer in self.layers:
            states = layer(states, mask[:, None, None])
        states = self.norm(states)
        return Memory(states, mask, masked_mean(states, mask))
