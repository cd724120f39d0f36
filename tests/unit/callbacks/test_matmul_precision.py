"""Products are rounded in steps of training, and nowhere else."""

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import lightning as L
import pytest
import torch

from tandem.callbacks import MatmulPrecision
from tandem.core.errors import InputError


class Watcher(L.Callback):
    """Notes the precision in each kind of step."""

    def __init__(self, *, fails: bool = False) -> None:
        self.seen: set[tuple[str, str]] = set()
        self.fails = fails

    def on_after_backward(self, *args: Any) -> None:
        self.seen.add(("training", torch.get_float32_matmul_precision()))
        if self.fails:
            raise RuntimeError("a fault of the step")

    def on_validation_batch_start(self, *args: Any) -> None:
        self.seen.add(("validation", torch.get_float32_matmul_precision()))


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "1024")
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("precision", ["high", "medium"])
def test_training_alone_is_rounded(
    tiny_trainer: Any, tiny_module: Any, tiny_loader: Callable[[int], Any], precision: str
) -> None:
    watcher = Watcher()
    trainer = tiny_trainer(callbacks=[MatmulPrecision(precision), watcher], val_check_interval=2)
    trainer.fit(tiny_module(), tiny_loader(4), tiny_loader(1))
    assert watcher.seen == {("training", precision), ("validation", "highest")}
    assert torch.get_float32_matmul_precision() == "highest"


def test_a_fault_leaves_full_precision_behind(
    tiny_trainer: Any, tiny_module: Any, tiny_loader: Callable[[int], Any]
) -> None:
    trainer = tiny_trainer(callbacks=[MatmulPrecision("medium"), Watcher(fails=True)])
    with pytest.raises(RuntimeError, match="a fault of the step"):
        trainer.fit(tiny_module(), tiny_loader(1), tiny_loader(1))
    assert torch.get_float32_matmul_precision() == "highest"


def test_another_precision_is_refused() -> None:
    with pytest.raises(InputError, match="must be one of high, medium, but is 'highest'"):
        MatmulPrecision("highest")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="counts kernels of x86")
def test_no_kernel_is_compiled_twice() -> None:
    shapes = 600  # with a kernel for the convolution and one for what it writes
    work = (
        "import torch; from tandem.callbacks import MatmulPrecision\n"
        "MatmulPrecision('medium').setup()\n"
        f"for size in 2 * [*range(3, {shapes + 3})]:\n"
        "    torch.conv1d(torch.ones(2, 1, size), torch.ones(1, 1, 3))\n"
    )
    variables = {**os.environ, "ONEDNN_VERBOSE": "profile_create", "OMP_NUM_THREADS": "1"}
    variables.pop("ONEDNN_PRIMITIVE_CACHE_CAPACITY", None)
    run = subprocess.run(
        [sys.executable, "-c", work], env=variables, check=True, capture_output=True, text=True
    )
    assert run.stdout.count("create:cache_miss,cpu,convolution") == shapes
    assert run.stdout.count("create:cache_hit,cpu,convolution") == shapes


def test_a_number_of_kernels_of_ones_own_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "7")
    MatmulPrecision("medium").setup()
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "7"
