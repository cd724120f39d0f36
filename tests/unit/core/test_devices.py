"""What the devices of this machine can hold."""

import pytest
import torch

from tandem.core.devices import out_of_memory_explained
from tandem.core.errors import InputError


@pytest.mark.parametrize(
    "fail",
    [
        lambda: torch.empty(10**15),
        lambda: (_ for _ in ()).throw(
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has")
        ),
    ],
)
def test_no_memory_is_a_sentence(fail):
    with (
        pytest.raises(InputError, match=r"memory \([\d.]+ \w+ more were needed\); lower x\.$"),
        out_of_memory_explained("lower x"),
    ):
        next(fail())


def test_other_errors_stay():
    with pytest.raises(RuntimeError, match="another"), out_of_memory_explained("lower x"):
        raise RuntimeError("another")
