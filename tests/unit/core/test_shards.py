"""Weights that two ranks share out are put together as they were."""

import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from tandem.core.shards import (
    all_finite,
    own_part,
    share_out_like,
    shared_out_like,
    whole_tensor,
    whole_tree,
)


def tied() -> nn.Sequential:
    """Two layers with one weight, of a size that two ranks do not share evenly."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    return model


def sharded() -> nn.Sequential:
    return fully_shard(tied(), mesh=init_device_mesh("cpu", (2,)))


def parts_make_the_whole(rank: int) -> None:
    whole, shared = tied(), sharded()
    for name, parameter in shared.named_parameters():
        expected = whole.get_parameter(name).detach()
        assert len(own_part(parameter)) == 2 - rank
        assert torch.equal(whole_tensor(parameter), expected)
        assert torch.equal(own_part(shared_out_like(expected, parameter)), own_part(parameter))
    tree = whole_tree({"state": shared.state_dict(keep_vars=True), "step": [3]}, keep=rank == 0)
    assert tree["step"] == [3]
    assert tree["state"]["0.weight"] is tree["state"]["1.weight"]
    assert (tree["state"]["0.bias"] is None) == (rank == 1)


def a_copy_is_shared_out_alike(rank: int) -> None:
    copy, shared = tied(), sharded()
    share_out_like(copy, shared)
    assert copy[0].weight is copy[1].weight
    for mine, theirs in zip(copy.parameters(), shared.parameters(), strict=True):
        assert torch.equal(own_part(mine), own_part(theirs))


def ranks_agree_what_is_finite(rank: int) -> None:
    shared = sharded()
    assert all_finite(shared.parameters())
    if rank == 1:
        own_part(shared[1].bias)[0] = torch.nan
    assert not all_finite(shared.parameters())


@pytest.mark.parametrize(
    "check", [parts_make_the_whole, a_copy_is_shared_out_alike, ranks_agree_what_is_finite]
)
def test_on_two_ranks(check: Callable[[int], None], tmp_path: Path) -> None:
    children = []
    for rank in range(2):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                store = dist.FileStore(str(tmp_path / "store"), 2)
                dist.init_process_group("gloo", store=store, rank=rank, world_size=2)
                check(rank)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == [0, 0]


def test_alone_nothing_is_shared_out() -> None:
    tensor = torch.ones(2)
    assert whole_tensor(tensor) is shared_out_like(tensor, torch.zeros(2)) is tensor
    assert all_finite([tensor])
    assert not all_finite([tensor, tensor / 0])
