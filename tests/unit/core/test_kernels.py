"""Compiled kernels are dropped, so that memory stays flat however many shapes come."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tandem.core.kernels import CAPACITY, bound_kernels

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
