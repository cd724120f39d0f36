"""Tensors stay on the device of the model, which nothing waits for, in training and in steps.

On a CPU this is seen on the device ``meta``, whose tensors have no values: what asks for one fails,
and so do operations on tensors of two devices, or are refused here.
"""

import copy
import dataclasses
from collections.abc import Iterable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

COPIES = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}


class OneDevice(TorchDispatchMode):
    """Refuses operations on tensors of several devices, but for single numbers and copies."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        leaves: Iterable[Any] = pytree.tree_leaves((args, kwargs))
        devices = {leaf.device.type for leaf in leaves if isinstance(leaf, Tensor) and leaf.dim()}
        if func not in COPIES and len(devices) > 1:
            raise RuntimeError(f"{func} got tensors on {' and '.join(sorted(devices))}")
        return func(*args, **(kwargs or {}))


def test_two_devices_are_seen() -> None:
    table, places = torch.ones(3, 2, device="meta"), torch.tensor([0, 1])
    with OneDevice(), pytest.raises(RuntimeError, match=r"index_select.* on cpu and meta"):
        table.index_select(0, places)


def test_everything_stays_on_the_device(option_case) -> None:
    model = copy.deepcopy(option_case.model)  # which moves, while others share the case
    case = dataclasses.replace(option_case, model=model).to("meta")
    with OneDevice():
        case.model.train()
        case.model(case.source, case.mask, case.target).square().mean().backward()
        case.model.eval()
        with torch.inference_mode():
            state = case.start(2)
            for symbols in case.target.repeat_interleave(2, 0).unbind(1):
                scores, state = case.model.step(symbols, state)
    assert scores.device.type == "meta"


@pytest.mark.gpu
def test_a_cuda_device_is_here_for_the_contracts() -> None:
    """What ``pytest -m gpu`` selects where there is none, so that it says so."""
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device: the contracts run on the CPU alone")
    assert torch.ones(2, device="cuda").sum().item() == 2
