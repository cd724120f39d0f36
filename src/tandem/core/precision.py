"""Which type numbers have where they multiply and add up."""

import torch
from torch import Tensor


def wide_type(dtype: torch.dtype) -> torch.dtype:
    """At least float32, for sums, counts, positions and statistics of numbers in ``dtype``."""
    return torch.promote_types(dtype, torch.float32)


def product_type(tensor: Tensor) -> torch.dtype:
    """The type in which autocast multiplies a tensor, or the tensor's own without it."""
    device = tensor.device.type
    if tensor.dtype == torch.float64 or not torch.is_autocast_enabled(device):
        return tensor.dtype
    return torch.get_autocast_dtype(device)
