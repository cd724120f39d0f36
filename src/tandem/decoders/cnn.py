"""Convolutional decoder: Gehring et al. (2017), sections 3.2 and 3.3."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from tandem.attentions.base import Attended, Attention
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.decoders.base import Decoded, Decoder
from tandem.layers.convolution import SQRT_HALF, GatedConvolution
from tandem.layers.dropout import Dropout
from tandem.layers.positions import added_positions
from tandem.layers.region import region


class CNNDecoderLayer(nn.Module):
    """A causal gated convolution, then attention asked with its output plus the embedding."""

    def __init__(
        self,
        size: int,
        memory_size: int,
        attention: Callable[..., Attention],
        kernel_size: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.convolution = GatedConvolution(size, kernel_size, dropout)
        self.attention = attention(query_size=size, memory_size=memory_size)
        self.query = nn.Linear(size, size) if self.attention.reads_query else nn.Identity()
        self.context = nn.Linear(self.attention.output_size, size)
        self.dropout = Dropout(dropout)
        self.reach = kernel_size - 1

    def start(self, memory: Memory) -> State:
        """What attention makes of the memory."""
        return self.attention.start(memory)

    @region(compiles=True)
    def forward(
        self, states: Tensor, embedded: Tensor, past: Tensor, attention_state: State
    ) -> tuple[Tensor, Tensor, Attended]:
        """States and embedded (N, T, H), past (N, k - 1, H) -> states, past, what was attended."""
        window = torch.cat((past, self.dropout(states)), dim=1)  # (N, k - 1 + T, H)
        convolved = self.convolution(window)  # (N, T, H)
        query = (self.query(convolved) + embedded) * SQRT_HALF
        attended = self.attention(query, attention_state)
        read = (convolved + self.context(attended.context)) * SQRT_HALF
        return (states + read) * SQRT_HALF, window[:, window.size(1) - self.reach :], attended


class CNNDecoder(Decoder):
    """Causal gated convolutions with residuals, attention in each layer.

    :param input_size: E, given by the builder.
    :param memory_size: M, given by the builder.
    :param attention: makes an attention from ``query_size`` and ``memory_size``.
    :param hidden_size: H, channels of each layer.
    :param num_layers: number of layers.
    :param kernel_size: width of each convolution: a position sees itself and k - 1 before it.
    :param positions: sinusoidal, learned or none.
    :param scale_positions: whether sinusoidal positions are as large as embeddings, ``E ** -0.5``
        (as learned ones start), rather than 1, which is some eight times as much.
    :param max_length: longest target for learned positions.
    :param output_size: D, size of the features.
    :param input_dropout: probability on the inputs with their positions.
    :param dropout: probability before each convolution and on the features.
    """

    def __init__(
        self,
        input_size: int,
        memory_size: int,
        *,
        attention: Callable[..., Attention],
        hidden_size: int,
        num_layers: int,
        kernel_size: int,
        positions: str,
        scale_positions: bool,
        max_length: int,
        output_size: int,
        input_dropout: float,
        dropout: float,
    ) -> None:
        super().__init__()
        amplitude = input_size**-0.5 if scale_positions else 1.0
        self.positions = added_positions(positions, input_size, max_length, amplitude=amplitude)
        self.input = nn.Linear(input_size, hidden_size)
        self.layers = nn.ModuleList(
            CNNDecoderLayer(hidden_size, memory_size, attention, kernel_size, dropout)
            for _ in range(num_layers)
        )
        self.output = nn.Linear(hidden_size, output_size)
        self.input_dropout = Dropout(input_dropout)
        self.dropout = Dropout(dropout)
        self.hidden_size = hidden_size
        self.output_size = output_size

    @property
    def layer_outputs(self) -> list[nn.Module]:
        """See :class:`Decoder`."""
        return list(self.layers)

    def start(self, memory: Memory) -> State:
        """No past: zeros in front of each convolution."""
        rows = memory.summary.size(0)
        layers = (cast(CNNDecoderLayer, layer) for layer in self.layers)
        carry = tuple(
            (
                memory.summary.new_zeros(rows, layer.reach, self.hidden_size),
                layer.start(memory),
            )
            for layer in layers
        )
        return State(carry=(0, carry))

    def forward(self, inputs: Tensor, state: State) -> Decoded:
        """Inputs (N, T, E) -> features (N, T, D)."""
        offset, layer_states = state.carry
        embedded = self.input(self.input_dropout(self.positions(inputs, offset)))  # (N, T, H)
        states, carry, weights = embedded, [], None
        for layer, (past, attention_state) in zip(self.layers, layer_states, strict=True):
            states, past, attended = layer(states, embedded, past, attention_state)
            carry.append((past, attended.state))
            weights = attended.weights
        features = self.dropout(self.output(states))  # (N, T, D)
        return Decoded(features, weights, State(carry=(offset + inputs.size(1), tuple(carry))))
