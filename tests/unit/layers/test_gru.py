"""The written-out GRU against PyTorch's own."""

import torch
from torch import Tensor, nn

from tandem.layers.gru import run_gru


def gradients(outputs: tuple[Tensor, Tensor], leaves: list[Tensor]) -> list[Tensor]:
    """Of a sum in which every number of both outputs weighs differently."""
    torch.manual_seed(1)
    total = sum((output * torch.randn_like(output)).sum() for output in outputs)
    return list(torch.autograd.grad(total, leaves))


def test_values_and_gradients_equal_torch() -> None:
    torch.manual_seed(0)
    layer = nn.GRU(5, 7, batch_first=True).double()
    inputs = torch.randn(3, 6, 5, dtype=torch.double, requires_grad=True)
    hidden = torch.randn(1, 3, 7, dtype=torch.double, requires_grad=True)
    leaves = [inputs, hidden, *layer.parameters()]
    ours, theirs = run_gru(layer, inputs, hidden), layer(inputs, hidden)
    pairs = [*zip(ours, theirs, strict=True)]
    pairs += zip(gradients(ours, leaves), gradients(theirs, leaves), strict=True)
    for one, other in pairs:
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_under_autocast_it_computes_in_single_precision() -> None:
    layer = nn.GRU(4, 3, batch_first=True)
    inputs, hidden = torch.randn(2, 5, 4), torch.zeros(1, 2, 3)
    with torch.autocast("cpu", torch.bfloat16):
        states, _ = run_gru(layer, inputs, hidden)
    states.sum().backward()
    assert states.dtype == torch.float32
    torch.testing.assert_close(states, layer(inputs, hidden)[0], rtol=0, atol=0.02)
