"""Gated convolutions over time: Gehring et al. (2017), section 3.2."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tandem.core.errors import InputError

SQRT_HALF = math.sqrt(0.5)
"""Keeps the variance of a sum of two equal parts (section 3.4)."""


class GatedConvolution(nn.Module):
    """A convolution over k neighbours to 2H channels, halved by a gated linear unit.

    It slides over what it gets and pads nothing: T + k - 1 inputs give T outputs, so an encoder
    pads both sides and a decoder puts its past in front. One matrix product over unfolded windows;
    on a CPU that is faster than a convolution kernel at these sizes.

    :param size: H, of inputs and outputs.
    :param kernel_size: k.
    """

    def __init__(self, size: int, kernel_size: int, dropout: float) -> None:
        super().__init__()
        if kernel_size < 1:
            raise InputError(f"`kernel_size` must be at least 1, but is {kernel_size}.")
        self.kernel_size = kernel_size
        self.linear = nn.Linear(kernel_size * size, 2 * size)
        nn.init.normal_(self.linear.weight, std=math.sqrt(4 * (1 - dropout) / (kernel_size * size)))
        nn.init.zeros_(self.linear.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, T + k - 1, H) -> (B, T, H)."""
        length = inputs.size(1) - self.kernel_size + 1
        windows = [inputs[:, shift : shift + length] for shift in range(self.kernel_size)]
        return F.glu(self.linear(torch.cat(windows, dim=-1)), dim=-1)
