"""RNN, LSTM and GRU decoders with attention: Luong et al. (2015), sections 3 and 3.3."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tandem.attentions.base import Attended, Attention, Weights
from tandem.bridges.base import Bridge
from tandem.core.memory import Memory
from tandem.core.precision import product_type
from tandem.core.state import State
from tandem.decoders.base import Decoded, Decoder
from tandem.layers.cells import Tensors
from tandem.layers.dropout import Dropout
from tandem.layers.recurrent import RecurrentStack
from tandem.layers.region import region
from tandem.layers.steps import StepLinear, step_features


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
        fed = memory.summary.new_zeros(memory.summary.size(0), self.output_size)
        return State(carry=(self.bridge(memory.summary), fed, self.attention.start(memory)))

    def forward(self, inputs: Tensor, state: State) -> Decoded:
        """Inputs (N, T, E) -> features (N, T, D)."""
        return self._walk(inputs, state) if self.input_feeding else self._run(inputs, state)

    def _walk(self, inputs: Tensor, state: State) -> Decoded:
        """One position after the other; what does not depend on the last one comes before."""
        rows, length, size = inputs.shape
        dtype = product_type(inputs)
        hidden, fed, attention_state = state.carry
        slots, fed = hidden.to(dtype).unbind(1), fed.to(dtype)
        if torch.is_grad_enabled() and not torch.compiler.is_exporting():
            # as at later steps no views, with a gradient: one graph fits
            slots = tuple(slot.clone() for slot in slots)
            fed = fed.clone() if fed.requires_grad else fed.detach().requires_grad_().clone()
        maps = self.stack.step_maps(dtype, size)
        combine = StepLinear(self.combine.weight, self.combine.bias, dtype)
        ones = inputs.new_ones(length, rows, self.output_size, dtype=dtype)
        factors = self.dropout(ones).unbind() if self.dropout.training else [None] * length
        gates = self.stack.given_gates(inputs).unbind()  # (N, gates) for each position
        between = self.stack.dropout_factors(inputs, length)
        features, weights = [], []
        for step, given in enumerate(gates):
            fed, slots, attended = self._step(
                given,
                fed,
                slots,
                attention_state,
                step,
                maps,
                combine,
                between[step],
                factors[step],
            )
            attention_state = attended.state
            features.append(fed)
            weights.append(attended.weights)
        after = State(carry=(torch.stack(slots, 1), fed, attention_state))
        return Decoded(torch.stack(features, 1), _joined(weights), after)

    def _step(
        self,
        given: Tensor,
        fed: Tensor,
        slots: Tensors,
        attention_state: State,
        step: int,
        maps: list[tuple[StepLinear, StepLinear]],
        combine: StepLinear,
        between: Tensors | None,
        factors: Tensor | None,
    ) -> tuple[Tensor, Tensors, Attended]:
        """One position: the features (N, D), the layers' slots and what the attention says."""
        slots = self.stack.step(maps, step, fed, given, slots, between)
        states = slots[-self.stack.slots]  # (N, H)
        attended = self._ask(states.unsqueeze(1), attention_state)
        context = attended.context.squeeze(1).to(fed.dtype)
        return step_features(combine, step, states, context, factors), slots, attended

    @region(compiles=False)
    def _ask(self, query: Tensor, state: State) -> Attended:
        """One position's query (N, 1, H); what it is compared with takes the most memory."""
        answer: Attended = self.attention(query, state)
        return answer

    @region(compiles=False)
    def _run(self, inputs: Tensor, state: State) -> Decoded:
        """All positions at once."""
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
