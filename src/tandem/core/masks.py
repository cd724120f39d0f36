"""Masks are boolean and True at real positions, everywhere in the project."""

import torch
import torch.nn.functional as F
from torch import Tensor

from tandem.core.precision import wide_type

LANES = 16
"""Numbers of float32 that a CPU's widest instructions take at a time."""


def lengths_to_mask(lengths: Tensor, size: int) -> Tensor:
    """(B,) lengths -> (B, size) mask that is True before each row's length."""
    return torch.arange(size, device=lengths.device) < lengths.unsqueeze(1)


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the last axis in which masked positions weigh exactly 0.

    :param scores: (..., S)
    :param mask: bool, broadcasts to ``scores``; each row needs one True.
    """
    least = torch.finfo(scores.dtype).min
    if scores.device.type == "cpu" and not torch.compiler.is_compiling():
        return _softmax_on_cpu(scores, mask, least)
    return scores.masked_fill(~mask, least).softmax(-1)


def _softmax_on_cpu(scores: Tensor, mask: Tensor, least: float) -> Tensor:
    """The same, by what torch's kernels for the CPU do ten times as fast.

    Filling is slower than adding, and a softmax over few numbers goes from one to the next, so it
    gets more of them that weigh nothing.
    """
    scores = scores + mask_scores(mask, scores.dtype)  # what is masked is lost in rounding, or -inf
    missing = LANES - scores.size(-1)
    if missing <= 0:
        return scores.softmax(-1)
    return F.pad(scores, (0, missing), value=least).softmax(-1)[..., :-missing]


def mask_scores(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """What is added to scores before a softmax in which masked positions weigh exactly 0.

    For many softmaxes with one mask this is prepared once, where :func:`masked_softmax` takes two
    more operations each time.
    """
    zeros = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return zeros.masked_fill_(~mask, torch.finfo(dtype).min)


def zero_padding(states: Tensor, mask: Tensor) -> Tensor:
    """(B, S, M) -> (B, S, M) with zeros where ``mask`` (B, S) is False."""
    return states.masked_fill(~mask.unsqueeze(-1), 0.0)


def masked_mean(states: Tensor, mask: Tensor) -> Tensor:
    """(B, S, M) -> (B, M), the mean over real positions, added up in float32 or wider."""
    total = zero_padding(states, mask).sum(1, dtype=wide_type(states.dtype))
    return (total / mask.sum(1, keepdim=True)).to(states.dtype)
