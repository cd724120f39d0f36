"""Freed memory stays with the process."""

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, torch
from tandem.core.allocator import keep_freed_memory
keep_freed_memory()
for _ in range(10):
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    tensors = [torch.ones(5_000_000) for _ in range(3)]
    del tensors
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults)
"""
PAGES = 3 * 5_000_000 * 4 // 4096
"""Of the tensors of a round."""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this is not glibc")
def test_what_was_freed_is_used_again() -> None:
    assert _faults({}) < PAGES / 10


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this is not glibc")
def test_a_user_s_own_setting_wins() -> None:
    assert _faults({"MALLOC_TRIM_THRESHOLD_": "1000000"}) > PAGES / 2


def _faults(variables: dict[str, str]) -> int:
    """Pages that the last round of the program got from the system."""
    command, environment = [sys.executable, "-c", PROGRAM], {**os.environ, **variables}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return int(run.stdout)
