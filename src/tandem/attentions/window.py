"""The window that Luong's local attentions look through: Luong et al. (2015), section 3.2."""

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.masks import masked_softmax


def checked_half_width(half_width: int) -> int:
    """The same number; raises InputError below 1, where a window could be empty."""
    if half_width < 1:
        raise InputError(f"`half_width` must be at least 1, but is {half_width}.")
    return half_width


def window_weights(scores: Tensor, mask: Tensor, centre: Tensor, half_width: int) -> Tensor:
    """Softmax of the scores within ``half_width`` positions of the centre.

    :param scores: (N, T, S)
    :param mask: (N, S) or broadcastable to it, True = real.
    :param centre: (N, T) inside the source, in positions from 0; integers or float32 or wider.
    :return: (N, T, S), zero outside the window.
    """
    distance = offsets(scores.size(-1), centre).abs()
    return masked_softmax(scores, mask.unsqueeze(1) & (distance <= half_width))


def offsets(length: int, centre: Tensor) -> Tensor:
    """Centre (N, T), integers or float32 or wider -> (N, T, S): each position minus the centre."""
    return torch.arange(length, device=centre.device) - centre.unsqueeze(-1)
