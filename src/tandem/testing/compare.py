"""How the checks fail: an AssertionError that begins with the promise that is broken."""

import torch
from torch import Tensor

ATOL = 1e-10
"""How far two ways to the same float64 numbers may differ, as sums are added in another order."""


def expect(condition: bool, promise: str) -> None:
    """Raise an AssertionError with the sentence unless the condition holds, with ``-O`` too."""
    if not condition:
        raise AssertionError(promise)


def expect_equal(actual: Tensor, expected: Tensor, promise: str) -> None:
    """Raise unless two tensors are float64 and equal, up to the order of sums."""
    expect(
        actual.dtype == torch.float64,
        f"A part must keep the precision of its inputs and weights, but float64 became "
        f"{actual.dtype}; make new tensors with new_zeros, zeros_like and the like.",
    )
    torch.testing.assert_close(
        actual, expected, rtol=0, atol=ATOL, msg=lambda details: f"{promise}\n{details}"
    )
