"""What ``pytest -m gpu`` selects where there is no CUDA, so that it says so."""

import pytest
import torch


@pytest.mark.gpu
def test_a_cuda_device_is_here_for_the_contracts() -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device: the contracts run on the CPU alone")
    assert torch.ones(2, device="cuda").sum().item() == 2
