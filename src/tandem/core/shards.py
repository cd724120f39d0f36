"""Tensors of which each rank holds a part, as FSDP keeps weights: put together, and shared out."""

from collections.abc import Iterable
from typing import Any

import torch
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from tandem.core.ranks import max_over_ranks


def whole_tensor(tensor: Tensor) -> Tensor:
    """All of a tensor, on each rank; one that is not shared out is returned as it is."""
    if not isinstance(tensor, DTensor):
        return tensor
    tensor = tensor.detach().to(tensor.device_mesh.device_type)
    assert isinstance(tensor, DTensor)
    return tensor.full_tensor()


def own_part(tensor: Tensor) -> Tensor:
    """What this rank has of a tensor, in the same memory; all of one that is not shared out."""
    tensor = tensor.detach()
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether no tensor holds an infinity or what is not a number; waits once for their device.

    Of tensors that are shared out, each rank looks at its parts, and all get the same answer.
    """
    tensors = list(tensors)
    finite = torch.stack([own_part(tensor).isfinite().all() for tensor in tensors]).all()
    if any(isinstance(tensor, DTensor) for tensor in tensors):
        finite = max_over_ranks((~finite).int()) == 0
    return bool(finite)


def whole_tree(tree: Any, *, keep: bool) -> Any:
    """Collections with whole tensors on the CPU in place of those that are shared out.

    :param keep: whether this rank needs them; else it helps the others, and gets None instead.
    """
    done: dict[int, Tensor | None] = {}

    def whole(tensor: DTensor) -> Tensor | None:
        if id(tensor) not in done:
            full = whole_tensor(tensor)
            done[id(tensor)] = full.cpu() if keep else None
        return done[id(tensor)]

    return apply_to_collection(tree, DTensor, whole)


def shared_out_like(tensor: Tensor, pattern: Tensor) -> Tensor:
    """What this rank keeps of a tensor that all ranks have, if it keeps a part of ``pattern``."""
    if not isinstance(pattern, DTensor):
        return tensor
    tensor = tensor.to(pattern.device)
    return distribute_tensor(tensor, pattern.device_mesh, pattern.placements, src_data_rank=None)


def share_out_like(module: nn.Module, pattern: nn.Module) -> None:
    """Let this rank keep of each parameter what it keeps of the other module's."""
    shared: dict[int, nn.Parameter] = {}
    patterns = dict(pattern.named_parameters(remove_duplicate=False))
    for name, parameter in list(module.named_parameters(remove_duplicate=False)):
        if not isinstance(patterns[name], DTensor):
            continue
        if id(parameter) not in shared:
            part = shared_out_like(parameter.detach(), patterns[name])
            shared[id(parameter)] = nn.Parameter(part, requires_grad=parameter.requires_grad)
        owner, _, own_name = name.rpartition(".")
        setattr(module.get_submodule(owner), own_name, shared[id(parameter)])
