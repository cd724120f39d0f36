"""Dropout that does not slow a CPU down."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tandem.core.errors import InputError


class _ByteDropout(torch.autograd.Function):
    """Keeps an element where a random byte is at least ``cut``.

    The comparison is made on floats in place, which is vectorised where one that gives booleans
    is not, so the mask is ready to be multiplied with.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, cut: int) -> Tensor:
        """Any shape."""
        draws = torch.empty((inputs.numel() + 7) // 8, dtype=torch.int64)
        draws.random_(-(2**63), None)  # the full range: all 64 bits are random
        drawn = draws.view(torch.uint8)[: inputs.numel()].view(inputs.shape)
        mask = drawn.to(inputs.dtype).ge_(cut).mul_(256 / (256 - cut))
        ctx.save_for_backward(mask)
        return inputs * mask

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """The same mask."""
        (mask,) = ctx.saved_tensors
        return grads[0] * mask, None


class Dropout(nn.Module):
    """Zeroes elements with probability ``p`` in training and scales the rest to keep the mean.

    On a CPU ``p`` is rounded to a multiple of 1/256 and the mask is compared from random bytes,
    eight to a 64-bit draw, because drawing one Bernoulli number an element is serial and slow
    there. Elsewhere it is PyTorch's own dropout.

    :param p: probability in [0, 1).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise InputError(f"`dropout` must be at least 0 and below 1, but is {p}.")
        self.p = p

    def forward(self, inputs: Tensor) -> Tensor:
        """Any shape, unchanged in evaluation."""
        if not self.training or self.p == 0:
            return inputs
        if inputs.device.type != "cpu" or torch.compiler.is_compiling():
            return F.dropout(inputs, self.p)
        cut = min(255, max(1, round(self.p * 256)))
        dropped: Tensor = _ByteDropout.apply(inputs, cut)
        return dropped

    def extra_repr(self) -> str:
        """Show the probability when the model is printed."""
        return f"p={self.p}"
