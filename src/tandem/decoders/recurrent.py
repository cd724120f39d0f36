"""RNN, LSTM and GRU decoders with attention: Luong et al. (2015), sections 3 and 3.3."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tandem.attentions.base import Attention, Weights
from tandem.bridges.base import Bridge
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.decoders.base import Decoded, Decoder
from tandem.layers.dropout import Dropout
from tandem.layers.recurrent import RecurrentStack


class RecurrentDecoder(Decoder):
    """Recurrent layers; the last one's hidden state asks the attention.

    The features are ``tanh(W [hidden; context])`` (eq. 5). With input feeding (section 3.3) the
    last features are part of the next input, so it walks over T; without, the layers run over all
    T at once and the attention is asked once.

    :param input_size: E, given by the builder.
    :param memory_size: M, given by the builder.
    :param attention: makes an attention from ``query_size`` and ``memory_size``.
    :param bridge: makes a bridge from ``memory_size``, ``slots`` and ``hidden_size``.
    :param cell: rnn, lstm or gru.
    :param hidden_size: H, of each layer.
    :param num_layers: number of layers.
    :param input_feeding: whether the features are fed back.
    :param output_size: D, size of the features.
    :param dropout: probability between layers and on the features.
    """

    def __init__(
        self,
        input_size: int,
        memory_size: int,
        *,
        attention: Callable[..., Attention],
        bridge: Callable[..., Bridge],
        cell: str,
        hidden_size: int,
        num_layers: int,
        input_feeding: bool,
        output_size: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.stack = RecurrentStack(
            input_size + (output_size if input_feeding else 0),
            cell=cell,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bidirectional=False,
            dropout=dropout,
        )
        slots = num_layers * self.stack.slots
        self.bridge = bridge(memory_size=memory_size, slots=slots, hidden_size=hidden_size)
        self.attention = attention(query_size=hidden_size, memory_size=memory_size)
        self.combine = nn.Linear(hidden_size + self.attention.output_size, output_size)
        self.dropout = Dropout(dropout)
        self.input_feeding = input_feeding
        self.output_size = output_size

    def start(self, memory: Memory) -> State:
        """Initial hidden states from the bridge; nothing fed back yet."""
        fed = memory.summary.new_zeros(len(memory.summary), self.output_size)
        return State(carry=(self.bridge(memory.summary), fed, self.attention.start(memory)))

    def forward(self, inputs: Tensor, state: State) -> Decoded:
        """Inputs (N, T, E) -> features (N, T, D)."""
        if not self.input_feeding:
            return self._run(inputs, state)
        parts = []
        for step in inputs.split(1, dim=1):
            parts.append(self._run(torch.cat((step, state.carry[1].unsqueeze(1)), -1), state))
            state = parts[-1].state
        features = torch.cat([part.features for part in parts], dim=1)  # (N, T, D)
        return Decoded(features, _joined([part.weights for part in parts]), state)

    def _run(self, inputs: Tensor, state: State) -> Decoded:
        """Advance by as many positions as the layers may see at once."""
        hidden, _, attention_state = state.carry
        states, hidden = self.stack(inputs, hidden)  # (N, T, H)
        attended = self.attention(states, attention_state)
        combined = self.combine(torch.cat((states, attended.context), dim=-1))
        features = self.dropout(torch.tanh(combined))  # (N, T, D)
        after = State(carry=(hidden, features[:, -1], attended.state))
        return Decoded(features, attended.weights, after)


def _joined(parts: list[Weights]) -> Weights:
    """Weights of consecutive steps as one function: (N, 1, S) each -> (N, T, S)."""
    made = [part for part in parts if part is not None]
    return (lambda: torch.cat([part() for part in made], dim=1)) if made else None
