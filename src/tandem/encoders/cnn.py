"""Convolutional encoder: Gehring et al. (2017), sections 3.1 to 3.3."""

import torch.nn.functional as F
from torch import Tensor, nn

from tandem.core.errors import InputError
from tandem.core.masks import masked_mean, zero_padding
from tandem.core.memory import Memory
from tandem.encoders.base import Encoder
from tandem.layers.convolution import SQRT_HALF, GatedConvolution
from tandem.layers.dropout import Dropout
from tandem.layers.positions import added_positions
from tandem.layers.region import region


class CNNEncoder(Encoder):
    """Gated convolutions with residuals over embeddings with positions.

    The paper attends with the convolutions' output and reads that output plus the embeddings;
    here one vector serves both: their sum. The summary is the mean over the source.

    :param input_size: E, given by the builder.
    :param hidden_size: M, channels of each layer and size of the states.
    :param num_layers: number of layers.
    :param kernel_size: width of each convolution, odd.
    :param positions: sinusoidal, learned or none.
    :param scale_positions: whether sinusoidal positions are as large as embeddings, ``E ** -0.5``
        (as learned ones start), rather than 1, which is some eight times as much.
    :param max_length: longest source for learned positions.
    :param input_dropout: probability on the inputs with their positions.
    :param dropout: probability before each convolution.
    """

    def __init__(
        self,
        input_size: int,
        *,
        hidden_size: int,
        num_layers: int,
        kernel_size: int,
        positions: str,
        scale_positions: bool,
        max_length: int,
        input_dropout: float,
        dropout: float,
    ) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise InputError(
                f"`encoder.kernel_size` must be odd, so that a position sees as far left as right, "
                f"but is {kernel_size}."
            )
        amplitude = input_size**-0.5 if scale_positions else 1.0
        self.positions = added_positions(positions, input_size, max_length, amplitude=amplitude)
        self.input = nn.Linear(input_size, hidden_size)
        self.convolutions = nn.ModuleList(
            GatedConvolution(hidden_size, kernel_size, dropout) for _ in range(num_layers)
        )
        self.passages = nn.ModuleList(nn.Identity() for _ in range(num_layers))
        self.input_dropout = Dropout(input_dropout)
        self.dropout = Dropout(dropout)
        self.reach = kernel_size // 2
        self.output_size = hidden_size

    @property
    def layer_outputs(self) -> list[nn.Module]:
        """See :class:`Encoder`; before the embeddings are added."""
        return list(self.passages)

    def forward(self, inputs: Tensor, mask: Tensor) -> Memory:
        """Inputs (B, S, E), mask (B, S) -> memory with states (B, S, M)."""
        embedded = self.input(self.input_dropout(self.positions(inputs, 0)))  # (B, S, M)
        states = embedded
        for convolution, passage in zip(self.convolutions, self.passages, strict=True):
            states = passage(self._layer(states, mask, convolution))
        states = (states + embedded) * SQRT_HALF
        return Memory(states, mask, masked_mean(states, mask))

    @region(compiles=True)
    def _layer(self, states: Tensor, mask: Tensor, convolution: nn.Module) -> Tensor:
        """One layer: (B, S, M) -> (B, S, M)."""
        real = zero_padding(self.dropout(states), mask)
        padded = F.pad(real, (0, 0, self.reach, self.reach))  # (B, S + k - 1, M)
        return (states + convolution(padded)) * SQRT_HALF
