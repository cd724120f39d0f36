"""Compiled kernels are dropped, so that memory stays flat; attention builds no plans."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tandem.core.kernels import CAPACITY, WithoutCudnnAttention, bound_kernels

SHAPES = 250
"""Of rounded products, forward and back: more kernels than are kept at a time."""
WORK = f"""
import torch
from tandem.core.kernels import bound_kernels
bound_kernels()
torch.set_float32_matmul_precision("medium")
layer = torch.nn.Linear(64, 64)

def memory():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

for rows in range(10, {SHAPES + 10}):
    if rows == 20:
        start = memory()
    layer(torch.ones(rows, 64, requires_grad=True)).sum().backward()
print(memory() - start)
"""


@pytest.mark.skipif(
    not (
        Path("/proc/self/statm").exists()
        and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    ),
    reason="rounds no products, or does not say what memory it has",
)
def test_memory_stays_flat_over_many_shapes() -> None:
    """Kept, they take over 300 MB; oneDNN's own number is small here, so that few shapes do."""
    variables = {**os.environ, "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "50", "OMP_NUM_THREADS": "1"}
    variables.pop(CAPACITY, None)
    run = subprocess.run(
        [sys.executable, "-c", WORK], env=variables, check=True, capture_output=True, text=True
    )
    assert float(run.stdout) < 120


def test_a_capacity_of_ones_own_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CAPACITY, "7")
    bound_kernels()
    assert os.environ[CAPACITY] == "7"
    monkeypatch.delenv(CAPACITY)
    bound_kernels()
    assert os.environ[CAPACITY] == "64"
    monkeypatch.delenv(CAPACITY)


def is_cudnn_on() -> bool:
    return bool(torch.backends.cuda.cudnn_sdp_enabled())


def attend(states: torch.Tensor) -> torch.Tensor:
    with WithoutCudnnAttention():
        return torch.nn.functional.scaled_dot_product_attention(states, states, states)


@pytest.mark.parametrize("chosen", [True, False])
def test_a_users_choice_of_attention_kernels_stays(
    chosen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_at(*states: torch.Tensor) -> None:
        raise ValueError(f"cuDNN is {is_cudnn_on()}")

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", looked_at)
    before = is_cudnn_on()
    torch.backends.cuda.enable_cudnn_sdp(chosen)
    try:
        with pytest.raises(ValueError, match="cuDNN is False"):
            attend(torch.ones(1, 2, 3, 4))
        assert is_cudnn_on() == chosen
    finally:
        torch.backends.cuda.enable_cudnn_sdp(before)


def test_cudnn_attention_is_off_where_a_compiler_chooses_the_kernel() -> None:
    seen = []

    class Compiler(torch.fx.Interpreter):
        """Runs the calls of a graph in their order, as a compiler does to choose kernels."""

        def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
            if target is torch.nn.functional.scaled_dot_product_attention:
                seen.append(is_cudnn_on())
            return super().call_function(target, args, kwargs)

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Any:
        return Compiler(graph).run

    assert is_cudnn_on()
    torch.compile(attend, backend=backend, fullgraph=True)(torch.ones(1, 2, 3, 4))
    assert seen == [False]
    assert is_cudnn_on()


@pytest.mark.gpu
def test_new_shapes_on_a_gpu_take_no_kernel_of_cudnn() -> None:
    """Forward and backward, of a type that cuDNN's attention takes first on new cards."""
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    with torch.profiler.profile(acc_events=True) as profile:
        for length in (5, 8, 13):
            states = torch.ones(1, 2, length, 64, device="cuda", dtype=torch.bfloat16)
            attend(states.requires_grad_()).sum().backward()
    names = [event.key for event in profile.key_averages()]
    assert any("attention" in name for name in names)
    assert not [name for name in names if "cudnn" in name and "attention" in name]
