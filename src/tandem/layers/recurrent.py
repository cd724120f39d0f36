"""Stacked recurrent layers with one interface for the three cells."""

from collections.abc import Callable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tandem.core.errors import InputError
from tandem.core.precision import product_type
from tandem.layers.cells import CELLS, Tensors
from tandem.layers.dropout import Dropout
from tandem.layers.recurrent_kernels import WEIGHTS, run, run_masked
from tandem.layers.recurrent_operator import operate
from tandem.layers.steps import StepLinear, step_cell

LAYERS: dict[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class RecurrentStack(nn.Module):
    """Layers of RNN (Elman 1990), LSTM (Hochreiter 1997) or GRU (Cho 2014) over a sequence.

    Each layer is its own fused module, so that dropout between them is ours (fast on a CPU).

    :param cell: rnn, lstm or gru.
    :param hidden_size: H, the size of each layer in each direction.
    """

    def __init__(
        self,
        input_size: int,
        *,
        cell: str,
        hidden_size: int,
        num_layers: int,
        bidirectional: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        if cell not in LAYERS:
            raise InputError(f"`cell` must be one of {', '.join(LAYERS)}, but is {cell!r}.")
        if num_layers < 1:
            raise InputError(f"`num_layers` must be at least 1, but is {num_layers}.")
        output_size = hidden_size * (2 if bidirectional else 1)
        self.layers = nn.ModuleList(
            LAYERS[cell](
                input_size if layer == 0 else output_size,
                hidden_size,
                batch_first=True,
                bidirectional=bidirectional,
            )
            for layer in range(num_layers)
        )
        self.passages = nn.ModuleList(nn.Identity() for _ in range(num_layers))
        """Through which pass the states of :meth:`run_masked` behind each layer."""
        self.dropout = Dropout(dropout)
        self.cell = CELLS[cell]
        self.slots = 2 if cell == "lstm" else 1
        """Vectors of state a layer: hidden, and an LSTM's cell."""
        for layer in self.layers:
            _initialize(layer, gates={"rnn": 1, "lstm": 4, "gru": 3}[cell])

    def forward(self, inputs: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Run over all T.

        :param inputs: (N, T, E)
        :param hidden: (N, layers x slots, H), what the last call returned.
        :return: states (N, T, H), and the new hidden.
        """
        if inputs.size(1) == 1:
            return self._step_once(inputs, hidden)
        states, after = inputs, []
        by_layer = hidden.transpose(0, 1).contiguous()  # (layers x slots, N, H)
        for index, layer in enumerate(self.layers):
            slots = by_layer[index * self.slots : (index + 1) * self.slots].split(1)
            states, last = run(
                cast(nn.RNNBase, layer),
                states if index == 0 else self.dropout(states),
                slots if self.slots == 2 else slots[0],
            )
            after += [last] if self.slots == 1 else list(last)
        return states, torch.cat(after).transpose(0, 1)

    def _step_once(self, inputs: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """:meth:`forward` of one position, without the set-up of a kernel for sequences."""
        dtype = product_type(inputs)
        slots = hidden.to(dtype).unbind(1)
        factors = self.dropout_factors(inputs, 1)[0]
        slots = self.step(self.step_maps(dtype), 0, inputs[:, 0].to(dtype), None, slots, factors)
        return slots[-self.slots].unsqueeze(1), torch.stack(slots, 1)

    def step_maps(self, dtype: torch.dtype, given: int = 0) -> list[tuple[StepLinear, StepLinear]]:
        """Each layer's maps from below and from its hidden state, for one pass of :meth:`step`.

        :param given: how many of the leading inputs :meth:`given_gates` takes care of.
        """
        maps = []
        for layer in self.layers:
            below, recurrent, *biases = (getattr(layer, f"{name}_l0") for name in WEIGHTS)
            first = StepLinear(below[:, given:], None if given else biases[0], dtype)
            maps.append((first, StepLinear(recurrent, biases[1], dtype)))
            given = 0
        return maps

    def given_gates(self, inputs: Tensor) -> Tensor:
        """What the leading inputs (N, T, E) add to the first layer's gates, (T, N, gates)."""
        weight, bias = (getattr(self.layers[0], f"{name}_l0") for name in ("weight_ih", "bias_ih"))
        return F.linear(inputs.transpose(0, 1), weight[:, : inputs.size(-1)], bias)

    def dropout_factors(self, like: Tensor, length: int) -> list[Tensors | None]:
        """For each position what the states (N, H) between layers are multiplied by, if anything.

        :param like: (N, ...) of the same type and device.
        """
        gaps = len(self.layers) - 1
        if not gaps or not self.dropout.training or not self.dropout.p:
            return [None] * length
        size = cast(nn.RNNBase, self.layers[0]).hidden_size
        ones = like.new_ones(length, gaps, len(like), size, dtype=product_type(like))
        return [position.unbind() for position in self.dropout(ones).unbind()]

    def step(
        self,
        maps: list[tuple[StepLinear, StepLinear]],
        step: int,
        inputs: Tensor,
        given: Tensor | None,
        slots: Tensors,
        factors: Tensors | None,
    ) -> Tensors:
        """The slots (N, H) of all layers after one more position.

        :param maps: :meth:`step_maps`.
        :param step: number of the position in this pass.
        :param inputs: (N, I), all of the inputs or those behind the given ones.
        :param given: (N, gates), or None.
        :param factors: :meth:`dropout_factors` of the position.
        """
        after: list[Tensor] = []
        for index, (below, recurrent) in enumerate(maps):
            if index and factors is not None:
                inputs = inputs * factors[index - 1]
            own = slots[index * self.slots : (index + 1) * self.slots]
            after += step_cell(self.cell, step, below, recurrent, inputs, given, own)
            inputs, given = after[-self.slots], None
        return tuple(after)

    def run_masked(self, inputs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Run from zeros over sequences of different lengths.

        :param inputs: (B, S, E)
        :param mask: (B, S)
        :return: states (B, S, directions x H), and the last layer's final hidden, (B, directions x
            H): at the end of each row for the first direction, at its beginning for the second.
        """
        states, final = inputs, inputs
        run_layer = operate if torch.compiler.is_exporting() else run_masked
        for index, (layer, passage) in enumerate(zip(self.layers, self.passages, strict=True)):
            read = self.dropout(states) if index else states
            states, final = run_layer(cast(nn.RNNBase, layer), read, mask)
            states = passage(states)
        return states, final.transpose(0, 1).flatten(1)  # (directions, B, H) -> (B, directions x H)


def _initialize(layer: nn.Module, gates: int) -> None:
    """Xavier for inputs, orthogonal for recurrence, zero biases with an LSTM's forget gate at 1."""
    for name, parameter in layer.named_parameters():
        if "bias" in name:
            nn.init.zeros_(parameter)
            if gates == 4 and "bias_ih" in name:
                with torch.no_grad():
                    parameter.chunk(4)[1].fill_(1.0)
        else:
            for gate in parameter.chunk(gates):
                (nn.init.orthogonal_ if "weight_hh" in name else nn.init.xavier_uniform_)(gate)
