"""Which type numbers have where they multiply and add up, and whether they are numbers still."""

from collections.abc import Iterable

import torch
from torch import Tensor


def wide_type(dtype: torch.dtype) -> torch.dtype:
    """At least float32, for sums, counts, positions and statistics of numbers in ``dtype``."""
    return torch.promote_types(dtype, torch.float32)


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether no tensor holds an infinity or what is not a number; waits for their device."""
    return all(bool(tensor.isfinite().all()) for tensor in tensors)


def product_type(tensor: Tensor) -> torch.dtype:
    """The type in which autocast multiplies a tensor, or the tensor's own without it."""
    device = tensor.device.type
    if tensor.dtype == torch.float64 or not torch.is_autocast_enabled(device):
        return tensor.dtype
    return torch.get_autocast_dtype(device)
