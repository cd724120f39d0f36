"""RNN, LSTM and GRU encoders, in one or both directions: Schuster & Paliwal (1997)."""

import torch
from torch import Tensor, nn

from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.encoders.base import Encoder
from tandem.layers.dropout import Dropout
from tandem.layers.recurrent import RecurrentStack
from tandem.layers.region import region


class RecurrentEncoder(Encoder):
    """Recurrent layers; the summary is the final hidden state of the last one.

    :param input_size: E, given by the builder.
    :param cell: rnn, lstm or gru.
    :param hidden_size: M, size of the states; two directions get half of it each.
    :param num_layers: number of layers.
    :param bidirectional: whether each layer also reads from right to left.
    :param reverse: whether the only direction is from right to left: Sutskever et al. (2014).
    :param dropout: probability between layers.
    :param output_dropout: probability on the states that the decoder looks back at.
    """

    def __init__(
        self,
        input_size: int,
        *,
        cell: str,
        hidden_size: int,
        num_layers: int,
        bidirectional: bool,
        reverse: bool,
        dropout: float,
        output_dropout: float,
    ) -> None:
        super().__init__()
        if bidirectional and reverse:
            raise InputError(
                "`encoder.reverse` reverses the only direction, but the encoder has two; set "
                "encoder.bidirectional=false or encoder.reverse=false."
            )
        if bidirectional and hidden_size % 2:
            raise InputError(
                f"`encoder.hidden_size` ({hidden_size}) must be even, since each of two directions "
                "gets half of it; change it or set encoder.bidirectional=false."
            )
        self.stack = RecurrentStack(
            input_size,
            cell=cell,
            hidden_size=hidden_size // 2 if bidirectional else hidden_size,
            num_layers=num_layers,
            bidirectional=bidirectional,
            dropout=dropout,
        )
        self.dropout = Dropout(output_dropout)
        self.output_size = hidden_size
        self.reverse = reverse

    @property
    def layer_outputs(self) -> list[nn.Module]:
        """See :class:`Encoder`."""
        return list(self.stack.passages)

    @region(compiles=False)
    def forward(self, inputs: Tensor, mask: Tensor) -> Memory:
        """Inputs (B, S, E), mask (B, S) -> memory with states (B, S, M)."""
        if self.reverse:
            states, summary = self.stack.run_masked(_reversed(inputs, mask), mask)
            states = _reversed(states, mask)
        else:
            states, summary = self.stack.run_masked(inputs, mask)
        return Memory(self.dropout(states), mask, summary)


def _reversed(values: Tensor, mask: Tensor) -> Tensor:
    """Values (B, S, E) of each row from its last to its first; padding stays behind them."""
    places = torch.arange(mask.size(1), device=mask.device)
    turned = mask.sum(1, keepdim=True) - 1 - places  # (B, S), below 0 at padding
    order = torch.where(mask, turned, places).unsqueeze(2)
    return values.gather(1, order.expand_as(values))
