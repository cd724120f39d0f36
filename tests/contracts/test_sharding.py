"""FSDP takes every part by itself: ``fully_shard`` in a group of one process."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh

from tandem.core.types import FIRST_OUTPUT

fsdp = pytest.importorskip("torch.distributed.fsdp")


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory, device: str) -> Iterator[DeviceMesh]:
    """One process on one device."""
    backend = {"cpu": "gloo", "cuda": "nccl"}[device]
    if not (dist.is_available() and dist.is_backend_available(backend)):
        pytest.skip(f"torch was built without {backend}")
    meeting: Path = tmp_path_factory.mktemp("group") / "store"
    dist.init_process_group(backend, init_method=f"file://{meeting}", rank=0, world_size=1)
    yield init_device_mesh(device, (1,))
    dist.destroy_process_group()


@pytest.mark.filterwarnings(
    "ignore:FSDP2-wrapped module .* returned a view"
)  # never changed in place
def test_every_part_is_sharded_and_learns_the_same(option_case, mesh) -> None:
    case = option_case
    whole, sharded = copy.deepcopy(case.model), copy.deepcopy(case.model)
    for part in (sharded.frontend, sharded.encoder, sharded.decoder):
        fsdp.fully_shard(part, mesh=mesh)
    fsdp.register_fsdp_forward_method(sharded.decoder, "start")  # which reads parameters, too
    for model in (whole, sharded):
        with torch.backends.cudnn.flags(enabled=False):  # whose RNNs have no gradient in eval()
            scores = model(case.source, case.mask, case.target)[..., FIRST_OUTPUT:]
            scores.square().mean().backward()
    pairs = zip(whole.named_parameters(), sharded.parameters(), strict=True)
    for (name, plain), shard in pairs:
        local = shard.grad.full_tensor() if hasattr(shard.grad, "full_tensor") else shard.grad
        torch.testing.assert_close(local, plain.grad, rtol=0, atol=1e-10, msg=name)
