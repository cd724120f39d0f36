"""Stacked recurrent layers with one interface for the three cells."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from tandem.core.errors import InputError
from tandem.layers.dropout import Dropout

CELLS: dict[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


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
        if cell not in CELLS:
            raise InputError(f"`cell` must be one of {', '.join(CELLS)}, but is {cell!r}.")
        if num_layers < 1:
            raise InputError(f"`num_layers` must be at least 1, but is {num_layers}.")
        output_size = hidden_size * (2 if bidirectional else 1)
        self.layers = nn.ModuleList(
            CELLS[cell](
                input_size if layer == 0 else output_size,
                hidden_size,
                batch_first=True,
                bidirectional=bidirectional,
            )
            for layer in range(num_layers)
        )
        self.dropout = Dropout(dropout)
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
        states, after = inputs, []
        by_layer = hidden.transpose(0, 1).contiguous()  # (layers x slots, N, H)
        for index, layer in enumerate(self.layers):
            slots = by_layer[index * self.slots : (index + 1) * self.slots].split(1)
            states, last = layer(
                states if index == 0 else self.dropout(states),
                slots if self.slots == 2 else slots[0],
            )
            after += [last] if self.slots == 1 else list(last)
        return states, torch.cat(after).transpose(0, 1)

    def run_packed(self, packed: PackedSequence) -> tuple[PackedSequence, Tensor]:
        """Run over a packed batch; the last layer's final hidden is (B, directions x H)."""
        final = packed.data.new_zeros(0)
        for index, layer in enumerate(self.layers):
            if index > 0:
                packed = packed._replace(data=self.dropout(packed.data))
            packed, last = layer(packed)
            final = last[0] if self.slots == 2 else last
        return packed, final.transpose(0, 1).flatten(1)  # (directions, B, H) -> (B, directions x H)


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
