"""Which type numbers have where they add up."""

import torch


def wide_type(dtype: torch.dtype) -> torch.dtype:
    """At least float32, for sums, counts, positions and statistics of numbers in ``dtype``."""
    return torch.promote_types(dtype, torch.float32)
