"""Conformer encoder: Gulati et al. (2020), section 2."""

import torch.nn.functional as F
from torch import Tensor, nn

from tandem.core.errors import InputError
from tandem.core.masks import masked_mean, zero_padding
from tandem.core.memory import Memory
from tandem.encoders.base import Encoder
from tandem.layers.region import region
from tandem.layers.transformer import FeedForward, Residual, ScaledInputs, SelfAttention


class ConvolutionModule(nn.Module):
    """Gate, depthwise convolution, norm, swish: section 2.2, with a layer norm.

    The paper's batch norm would mix padding and other examples into each position.
    """

    def __init__(self, size: int, kernel_size: int) -> None:
        super().__init__()
        self.expand = nn.Linear(size, 2 * size)
        self.depthwise = nn.Conv1d(size, size, kernel_size, padding="same", groups=size)
        self.norm = nn.LayerNorm(size)
        self.contract = nn.Linear(size, size)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """States (B, S, H), mask (B, S) -> (B, S, H)."""
        gated = zero_padding(F.glu(self.expand(states), dim=-1), mask)
        convolved = self.depthwise(gated.transpose(1, 2)).transpose(1, 2)  # (B, S, H)
        return self.contract(F.silu(self.norm(convolved)))


class ConformerLayer(nn.Module):
    """Self-attention and convolution between two half-step feed-forward maps: eq. 1."""

    def __init__(
        self,
        size: int,
        *,
        num_heads: int,
        feed_forward_size: int,
        kernel_size: int,
        rotary: bool,
        dropout: float,
        attention_dropout: float,
        activation_dropout: float,
    ) -> None:
        super().__init__()
        self.first = FeedForward(size, feed_forward_size, "silu", activation_dropout)
        self.attention = SelfAttention(size, num_heads, attention_dropout, rotary)
        self.convolution = ConvolutionModule(size, kernel_size)
        self.second = FeedForward(size, feed_forward_size, "silu", activation_dropout)
        self.first_residual = Residual(size, "pre", dropout)
        self.attention_residual = Residual(size, "pre", dropout)
        self.convolution_residual = Residual(size, "pre", dropout)
        self.second_residual = Residual(size, "pre", dropout)
        self.norm = nn.LayerNorm(size)

    @region(compiles=True)
    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """States (B, S, H), mask (B, S) -> (B, S, H)."""
        changed = 0.5 * self.first(self.first_residual.before(states))
        states = self.first_residual.after(states, changed)
        read = self.attention_residual.before(states)
        attended, _ = self.attention(read, mask[:, None, None], None, 0)
        states = self.attention_residual.after(states, attended)
        changed = self.convolution(self.convolution_residual.before(states), mask)
        states = self.convolution_residual.after(states, changed)
        changed = 0.5 * self.second(self.second_residual.before(states))
        return self.norm(self.second_residual.after(states, changed))


class ConformerEncoder(Encoder):
    """Layers that look far by self-attention and near by convolution; the summary is the mean.

    The paper's relative sinusoidal positions are rotary ones here, which are relative, too.

    :param input_size: E, given by the builder; mapped to ``hidden_size`` if it differs.
    :param hidden_size: M, size of the states.
    :param num_layers: number of layers.
    :param num_heads: heads of self-attention; must divide ``hidden_size``.
    :param feed_forward_size: inner size of the feed-forward maps.
    :param kernel_size: width of the depthwise convolution, odd.
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
        kernel_size: int,
        positions: str,
        max_length: int,
        input_dropout: float,
        dropout: float,
        attention_dropout: float,
        activation_dropout: float,
    ) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise InputError(
                f"`encoder.kernel_size` must be odd, so that a position sees as far left as right, "
                f"but is {kernel_size}."
            )
        self.inputs = ScaledInputs(
            input_size,
            hidden_size,
            positions=positions,
            max_length=max_length,
            dropout=input_dropout,
        )
        self.layers = nn.ModuleList(
            ConformerLayer(
                hidden_size,
                num_heads=num_heads,
                feed_forward_size=feed_forward_size,
                kernel_size=kernel_size,
                rotary=positions == "rotary",
                dropout=dropout,
                attention_dropout=attention_dropout,
                activation_dropout=activation_dropout,
            )
            for _ in range(num_layers)
        )
        self.output_size = hidden_size

    @property
    def layer_outputs(self) -> list[nn.Module]:
        """See :class:`Encoder`."""
        return list(self.layers)

    def forward(self, inputs: Tensor, mask: Tensor) -> Memory:
        """Inputs (B, S, E), mask (B, S) -> memory with states (B, S, M)."""
        states = self.inputs(inputs, 0)  # (B, S, M)
        for layer in self.layers:
            states = layer(states, mask)
        return Memory(states, mask, masked_mean(states, mask))
