"""Masks are boolean and True at real positions, everywhere in the project."""

import torch
from torch import Tensor

from tandem.core.precision import wide_type


def lengths_to_mask(lengths: Tensor, size: int) -> Tensor:
    """(B,) lengths -> (B, size) mask that is True before each row's length."""
    return torch.arange(size, device=lengths.device) < lengths.unsqueeze(1)


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the last axis in which masked positions weigh exactly 0.

    :param scores: (..., S)
    :param mask: bool, broadcasts to ``scores``; each row needs one True.
    """
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1)


def zero_padding(states: Tensor, mask: Tensor) -> Tensor:
    """(B, S, M) -> (B, S, M) with zeros where ``mask`` (B, S) is False."""
    return states.masked_fill(~mask.unsqueeze(-1), 0.0)


def masked_mean(states: Tensor, mask: Tensor) -> Tensor:
    """(B, S, M) -> (B, M), the mean over real positions, added up in float32 or wider."""
    total = zero_padding(states, mask).sum(1, dtype=wide_type(states.dtype))
    return (total / mask.sum(1, keepdim=True)).to(states.dtype)
