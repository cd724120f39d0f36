"""The loss against torch's, value and gradients."""

import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend
from torch.utils._python_dispatch import TorchDispatchMode

from tandem.core.errors import InputError
from tandem.core.types import FIRST_OUTPUT
from tandem.inference import teacher_forcing
from tandem.inference.teacher_forcing import CHUNK_ROWS, score_losses
from tandem.training import chunked_losses
from tandem.training.chunked_losses import disagreement
from tandem.training.losses import LabelSmoothedCrossEntropy


def example(rows: int, vocabulary: int = 11, size: int = 5):
    generator = torch.Generator().manual_seed(rows)
    options = {"generator": generator, "dtype": torch.float64, "requires_grad": True}
    features = torch.randn(rows, size, **options)
    weight = torch.randn(vocabulary, size, **options)
    return features, weight, torch.randint(FIRST_OUTPUT, vocabulary, (rows,), generator=generator)


@pytest.fixture
def cpu() -> None:
    """Computing in a cache."""


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Computing as on a GPU, with as few rows a chunk as there can be."""
    for module in (teacher_forcing, chunked_losses):
        monkeypatch.setattr(module, "on_cpu", lambda tensor: False)
    monkeypatch.setattr(teacher_forcing, "CHUNK_BYTES", 0)


def by_torch(features, weight, target, smoothing: float):
    """The same loss over what an output can hold."""
    logits = features @ weight[FIRST_OUTPUT:].t()
    return F.cross_entropy(logits, target - FIRST_OUTPUT, label_smoothing=smoothing)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("rows", [1, CHUNK_ROWS - 1, CHUNK_ROWS, CHUNK_ROWS + 1, 3 * CHUNK_ROWS])
@pytest.mark.parametrize("place", ["cpu", "elsewhere"])
def test_value_and_gradients_equal_torch(
    rows: int, smoothing: float, place: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(place)
    features, weight, target = example(rows)
    ours = LabelSmoothedCrossEntropy(smoothing=smoothing)(features, weight, target)
    theirs = by_torch(features, weight, target, smoothing)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    expected = torch.autograd.grad(3 * theirs, (features, weight))
    actual = torch.autograd.grad(3 * ours, (features, weight))
    for mine, torchs in zip(actual, expected, strict=True):
        torch.testing.assert_close(mine, torchs, rtol=0, atol=1e-12)


class Watched(TorchDispatchMode):
    """What is computed: how many numbers the largest tensor has, and the types of products."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0
        self.products: list[torch.dtype] = []

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = op(*args, **(kwargs or {}))
        if op.overloadpacket in (torch.ops.aten.mm, torch.ops.aten.addmm_):
            self.products.append(args[-1].dtype)
        for tensor in made if isinstance(made, tuple | list) else [made]:
            if isinstance(tensor, Tensor):
                self.numbers = max(self.numbers, tensor.numel())
        return made


@pytest.mark.parametrize("loss", ["cross_entropy", "disagreement"])
@pytest.mark.parametrize("narrow", [torch.bfloat16, torch.float16, None], ids=str)
def test_elsewhere_under_autocast(elsewhere, loss: str, narrow: torch.dtype | None) -> None:
    """As near the exact one as torch's own loss is, with three products for each chunk."""
    features, weight, target = (
        part.detach().float().requires_grad_() if part.is_floating_point() else part
        for part in example(2 * CHUNK_ROWS + 46, vocabulary=500, size=16)
    )

    def ours(features: Tensor, weight: Tensor) -> Tensor:
        if loss == "disagreement":
            return disagreement(features, weight, compiled=False)
        return LabelSmoothedCrossEntropy(smoothing=0.1)(features, weight, target)

    def by_hand(features: Tensor, weight: Tensor) -> Tensor:
        if loss == "cross_entropy":
            return by_torch(features, weight, target, 0.1)
        p, q = (features @ weight[FIRST_OUTPUT:].t()).float().log_softmax(1).chunk(2)
        return ((p.exp() - q.exp()) * (p - q)).sum(1).mean() / 2

    def measured(function: Callable[..., Tensor]) -> list[Tensor]:
        with torch.autocast("cpu", dtype=narrow, enabled=narrow is not None):
            value = function(features, weight)
        return [value.detach(), *torch.autograd.grad(1000 * value, (features, weight))]

    with Watched() as watched:
        actual = measured(ours)
    assert watched.numbers <= CHUNK_ROWS * 500 * (5 if loss == "disagreement" else 1)
    assert watched.products == [narrow or torch.float32] * (12 if loss == "disagreement" else 9)
    theirs, narrow = measured(by_hand), None
    for mine, torchs, right in zip(actual, theirs, measured(by_hand), strict=True):
        assert mine.dtype == torch.float32
        error, bound = (mine - right).norm(), (torchs - right).norm()
        assert error <= 1.5 * bound + 1e-6 * right.norm()


@pytest.mark.parametrize("loss", ["cross_entropy", "disagreement"])
def test_compiled_for_any_number_of_rows(elsewhere, loss, monkeypatch) -> None:
    """One graph that breaks nowhere, and the same numbers."""
    counter = CompileCounterWithBackend("aot_eager")
    compiler = partial(torch.compile, backend=counter, fullgraph=True)
    monkeypatch.setattr(torch, "compile", compiler)
    monkeypatch.setattr(chunked_losses, "_compile", cache(chunked_losses._compile.__wrapped__))
    for rows in (2 * CHUNK_ROWS + 10, 40, 6):
        features, weight, target = example(rows, vocabulary=500)
        values = [
            chunked_losses.cross_entropy(features, weight, target, 0.1, compiled=compiled)
            if loss == "cross_entropy"
            else disagreement(features, weight, compiled=compiled)
            for compiled in (False, True)
        ]
        plain, compiled = (
            (value.detach(), *torch.autograd.grad(value, (features, weight))) for value in values
        )
        torch.testing.assert_close(compiled, plain, rtol=0, atol=1e-12)
    assert counter.frame_count == 1


def smoothed(features, weight, target):
    return LabelSmoothedCrossEntropy(smoothing=0.1)(features, weight, target)


def divergence(features, weight, target):
    return disagreement(features / 8, weight, compiled=False)  # of logits of about 1


@pytest.mark.parametrize("loss", [smoothed, divergence])
@pytest.mark.parametrize("units", [True, False])
def test_rounded_factors(units: bool, loss, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.training.chunked_losses._has_bfloat16_units", lambda: units)
    features, weight, target = (
        part.detach().float().requires_grad_() if part.is_floating_point() else part
        for part in example(CHUNK_ROWS + 40, vocabulary=50, size=64)
    )
    exact = loss(features, weight, target)
    expected = torch.autograd.grad(exact, (features, weight))
    torch.set_float32_matmul_precision("medium")
    try:
        rounded = loss(features, weight, target)
    finally:
        torch.set_float32_matmul_precision("highest")
    actual = torch.autograd.grad(rounded, (features, weight))
    assert rounded.item() == pytest.approx(exact.item(), rel=1e-3)
    for mine, other in zip(actual, expected, strict=True):
        assert mine.dtype == torch.float32
        error = (mine - other).norm() / other.norm()
        assert error < 1e-2
        assert not units or error > 1e-4  # it is rounded


def test_gradients_equal_differences() -> None:
    features, weight, target = example(4, vocabulary=5, size=2)
    loss = LabelSmoothedCrossEntropy(smoothing=0.2)
    assert torch.autograd.gradcheck(lambda f, w: loss(f, w, target), (features, weight))


def test_large_logits_stay_finite() -> None:
    features, weight, target = example(8)
    loss = LabelSmoothedCrossEntropy(smoothing=0.1)(features * 1e4, weight, target)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(weight.grad).all()


def test_without_gradients() -> None:
    features, weight, target = example(7)
    loss = LabelSmoothedCrossEntropy(smoothing=0.1)
    with torch.no_grad():
        without = loss(features, weight, target)
    torch.testing.assert_close(without, loss(features, weight, target).detach())


def test_by_hand() -> None:
    specials = [[9.0]] * FIRST_OUTPUT  # which are left out
    probabilities = torch.tensor([*specials, [0.7], [0.2], [0.1]], dtype=torch.float64)
    weight = probabilities.log().requires_grad_()
    features, target = torch.ones(1, 1, dtype=torch.float64), torch.tensor([FIRST_OUTPUT + 1])
    loss = LabelSmoothedCrossEntropy(smoothing=0.3)(features, weight, target)
    each = -weight.detach().squeeze(1)[FIRST_OUTPUT:]  # -log p
    assert loss.item() == pytest.approx((0.7 * each[1] + 0.1 * each.sum()).item())


@pytest.mark.parametrize("smoothing", [1.0, -0.1])
def test_bad_smoothing(smoothing: float) -> None:
    message = f"`objective.smoothing` must be at least 0 and below 1, but is {smoothing}."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        LabelSmoothedCrossEntropy(smoothing=smoothing)


def test_losses_of_scores_equal_torch() -> None:
    features, weight, target = example(200)
    logits = (features @ weight.t()).detach()
    losses, hits = score_losses(logits, target)
    expected = F.cross_entropy(logits, target, reduction="none")
    torch.testing.assert_close(losses, expected, rtol=0, atol=1e-12)
    assert torch.equal(hits, logits.argmax(1) == target)
    assert 0 < hits.sum() < len(hits)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_losses_of_narrow_types_are_sums_in_float32(dtype: torch.dtype, smoothing: float) -> None:
    """A mean of 600 numbers, whose sum a narrow type would round to a few digits."""
    features, weight, target = example(600)
    narrow = [part.detach().to(dtype) for part in (features, weight)]
    exact = by_torch(narrow[0].double(), narrow[1].double(), target, smoothing)
    loss = LabelSmoothedCrossEntropy(smoothing=smoothing)
    narrow[0].requires_grad_()
    value = loss(*narrow, target)
    value.backward()
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(exact.item(), rel=1e-5)
    assert narrow[0].grad is not None
    with torch.no_grad():
        each, _ = score_losses(narrow[0] @ narrow[1].t(), target)
    assert each.dtype == torch.float32
