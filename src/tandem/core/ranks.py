"""What the processes of a run say together, each of which is a rank."""

import torch.distributed as dist
from torch import Tensor


def rank_count() -> int:
    """How many processes train together."""
    return dist.get_world_size() if _several() else 1


def sum_over_ranks(values: Tensor) -> Tensor:
    """The sum of what each rank gives, the same on all of them."""
    return _reduced(values, dist.ReduceOp.SUM)


def max_over_ranks(values: Tensor) -> Tensor:
    """The largest of what the ranks give, the same on all of them."""
    return _reduced(values, dist.ReduceOp.MAX)


def _reduced(values: Tensor, operation: dist.ReduceOp.RedOpType) -> Tensor:
    if not _several():
        return values
    together = values.clone()
    dist.all_reduce(together, operation)
    return together


def _several() -> bool:
    return dist.is_available() and dist.is_initialized()
