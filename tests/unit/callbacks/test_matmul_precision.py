"""Products are rounded in steps of training, and nowhere else."""

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
def _restored() -> Iterator[None]:
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
