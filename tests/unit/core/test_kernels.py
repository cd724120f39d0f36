"""What oneDNN compiled once is not compiled again."""

import os
import platform
import subprocess
import sys

import pytest

from tandem.core.kernels import CAPACITY, keep_kernels

SHAPES = 600
"""Each has a kernel for the convolution and one for what it writes: more than oneDNN would keep."""
WORK = f"""
import torch
from tandem.core.kernels import keep_kernels
keep_kernels()
for size in 2 * [*range(3, {SHAPES + 3})]:
    torch.conv1d(torch.ones(2, 1, size), torch.ones(1, 1, 3))
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="counts kernels of x86")
def test_no_kernel_is_compiled_twice() -> None:
    variables = {**os.environ, "ONEDNN_VERBOSE": "profile_create", "OMP_NUM_THREADS": "1"}
    variables.pop(CAPACITY, None)
    run = subprocess.run(
        [sys.executable, "-c", WORK], env=variables, check=True, capture_output=True, text=True
    )
    assert run.stdout.count("create:cache_miss,cpu,convolution") == SHAPES
    assert run.stdout.count("create:cache_hit,cpu,convolution") == SHAPES


def test_a_capacity_of_ones_own_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CAPACITY, "7")
    keep_kernels()
    assert os.environ[CAPACITY] == "7"
