"""The gated convolution against torch's."""

import math

import pytest
import torch
import torch.nn.functional as F

from tandem.core.errors import InputError
from tandem.layers.convolution import GatedConvolution


@pytest.mark.parametrize("kernel_size", [1, 2, 3])
def test_equals_conv1d_with_a_gate(kernel_size: int) -> None:
    layer = GatedConvolution(4, kernel_size, dropout=0.0).double()
    torch.nn.init.normal_(layer.linear.bias)
    inputs = torch.randn(2, 7, 4, dtype=torch.float64)
    kernel = layer.linear.weight.view(8, kernel_size, 4).transpose(1, 2)  # (2H, H, k)
    expected = F.glu(F.conv1d(inputs.transpose(1, 2), kernel, layer.linear.bias), dim=1)
    torch.testing.assert_close(layer(inputs), expected.transpose(1, 2), rtol=0, atol=1e-12)


def test_initial_spread_follows_the_paper() -> None:
    torch.manual_seed(0)
    weight = GatedConvolution(100, 3, dropout=0.2).linear.weight
    assert weight.std().item() == pytest.approx(math.sqrt(4 * 0.8 / 300), rel=0.02)


def test_bad_kernel_size() -> None:
    with pytest.raises(InputError, match=r"^`kernel_size` must be at least 1, but is 0\.$"):
        GatedConvolution(4, 0, dropout=0.0)
