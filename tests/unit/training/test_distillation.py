"""Distillation: the loss by hand and by autograd, and the share of it in the objective."""

import pytest
import torch

from tandem.core.types import FIRST_OUTPUT
from tandem.inference.decoding import encode
from tandem.inference.teacher_forcing import CHUNK_ROWS, teacher_force
from tandem.training.chunked_losses import distillation
from tandem.training.distillation import Teacher, distillation_loss
from tandem.training.objective import Objective


def distributions(scores: torch.Tensor, temperature: float) -> torch.Tensor:
    return (scores[:, FIRST_OUTPUT:] / temperature).log_softmax(-1)


def test_by_hand() -> None:
    """Two symbols with p = (3/4, 1/4), q = (1/2, 1/2) by equal logits, T = 2.

    4 (3/4 ln 3/2 + 1/4 ln 1/2), and 2 (q - p) by the logits.
    """
    features = torch.ones(1, 1, dtype=torch.float64, requires_grad=True)
    weight = torch.zeros(FIRST_OUTPUT + 2, 1, dtype=torch.float64, requires_grad=True)
    p = torch.tensor([[0.0] * FIRST_OUTPUT + [0.75, 0.25]], dtype=torch.float64)
    loss = distillation(features, weight, lambda rows: p[rows], temperature=2.0, compiled=False)
    assert loss.item() == pytest.approx(4 * 0.1308120299)
    (gradient,) = torch.autograd.grad(loss, weight)
    assert gradient.flatten().tolist() == pytest.approx([0.0] * FIRST_OUTPUT + [-0.5, 0.5])


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_value_and_gradients_equal_autograd(temperature: float) -> None:
    generator = torch.Generator().manual_seed(0)
    rows = CHUNK_ROWS + 7
    features, weight, scores = (
        torch.randn(*shape, dtype=torch.float64, generator=generator).requires_grad_()
        for shape in ((rows, 5), (9, 5), (rows, 9))
    )
    scores = scores.detach().index_fill(1, torch.arange(FIRST_OUTPUT), -torch.inf)
    p = (scores / temperature).softmax(-1)
    ours = distillation(
        *(features, weight, lambda some: p[some]), temperature=temperature, compiled=False
    )
    right, own = distributions(scores, temperature), distributions(features @ weight.T, temperature)
    theirs = temperature**2 * (right.exp() * (right - own)).sum(1).mean()
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    for mine, torchs in zip(
        torch.autograd.grad(3 * ours, (features, weight)),
        torch.autograd.grad(3 * theirs, (features, weight)),
        strict=True,
    ):
        torch.testing.assert_close(mine, torchs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("copying", "bias"), [(False, False), (False, True), (True, False)], ids=str
)
def test_a_students_loss_and_its_share(batch, make, small_model, copying: bool, bias: bool) -> None:
    student = make(copying=copying)
    if bias:
        student.output.bias = torch.nn.Parameter(torch.arange(7.0, dtype=torch.float64))
    teacher = Teacher("run", small_model(vocabulary=7, seed=1, copying=not copying), None)
    forced = teacher_force(student, encode(student, batch), batch)
    loss = distillation_loss(student, forced, teacher, batch, temperature=2.0, compiled=False)
    right, own = (
        distributions(model(batch.source, batch.source_mask, batch.target_in).flatten(0, 1), 2.0)
        for model in (teacher.model, student)
    )
    each = 4 * (right.exp() * (right - own)).sum(1)[batch.target_positions]
    torch.testing.assert_close(loss, each.mean(), rtol=0, atol=1e-12)

    options = {"smoothing": 0.0, "ctc_weight": 0.0, "coverage_weight": 0.0, "r_drop_weight": 0.0}
    losses = Objective(**options, teacher=teacher, teacher_weight=0.25, teacher_temperature=2.0)(
        student, batch
    )
    expected = 0.75 * losses["attention_loss"] + 0.25 * each.mean()
    torch.testing.assert_close(losses["loss"], expected, rtol=0, atol=1e-12)
    losses["loss"].backward()
    assert all(parameter.grad is None for parameter in teacher.model.parameters())
    assert not teacher.model.training
    assert all(parameter.grad is not None for parameter in student.parameters())
