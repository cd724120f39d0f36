"""The objective's parts against what they should add up to."""

import logging
import math
import re
from functools import partial

import pytest
import torch
from torch import nn

from tandem.attentions import AdditiveAttention, MultiHeadAttention
from tandem.core.errors import InputError
from tandem.core.types import FIRST_OUTPUT, Batch
from tandem.inference import teacher_forcing
from tandem.inference.decoding import encode
from tandem.inference.teacher_forcing import TeacherForcedTotals
from tandem.models import Seq2Seq
from tandem.training.chunked_losses import disagreement
from tandem.training.losses import coverage_loss
from tandem.training.objective import Objective

ADDITIVE = partial(AdditiveAttention, size=4)
MULTI_HEAD = partial(MultiHeadAttention, num_heads=2, dropout=0.0)


def objective(
    *, smoothing=0.0, ctc_weight=0.0, coverage_weight=0.0, r_drop_weight=0.0
) -> Objective:
    return Objective(
        smoothing=smoothing,
        ctc_weight=ctc_weight,
        coverage_weight=coverage_weight,
        r_drop_weight=r_drop_weight,
        teacher=None,
        teacher_weight=0.5,
        teacher_temperature=1.0,
    )


def nll(model: Seq2Seq, batch: Batch) -> torch.Tensor:
    """Mean over the six real symbols."""
    log_probs = model(batch.source, batch.source_mask, batch.target_in).log_softmax(-1)
    at_gold = log_probs.gather(2, batch.target_out.unsqueeze(2)).squeeze(2)
    return -at_gold[batch.target_mask].mean()


def ctc(model: Seq2Seq, batch: Batch) -> torch.Tensor:
    """A symbol, by torch's loss of each example alone."""
    memory = encode(model, batch)
    logits = model.ctc.output(memory.states)
    log_probs = logits.index_fill(-1, torch.tensor([1, 2]), -1e30).log_softmax(-1)
    each = [
        nn.functional.ctc_loss(
            log_probs[row, :positions],
            torch.tensor(target),
            torch.tensor(positions),
            torch.tensor(len(target)),
            reduction="sum",
        )
        for row, (positions, target) in enumerate(((4, [4, 5, 4]), (2, [6])))
    ]
    return sum(each) / 6


@pytest.mark.parametrize("copying", [False, True])
def test_alone_it_is_the_decoders_loss(batch, copying, make) -> None:
    model = make(copying=copying)
    losses = objective()(model, batch)
    assert list(losses) == ["loss"]
    torch.testing.assert_close(losses["loss"], nll(model, batch), rtol=0, atol=1e-12)


@pytest.mark.parametrize("copying", [False, True])
def test_the_parts_add_up(batch, copying, make) -> None:
    model = make(copying=copying, ctc_weight=0.3)
    losses = objective(ctc_weight=0.3, coverage_weight=2.0)(model, batch)
    predicted = model.decode(batch.target_in, model.start(encode(model, batch)))
    expected = {
        "attention_loss": nll(model, batch),
        "ctc_loss": ctc(model, batch),
        "coverage_loss": coverage_loss(predicted.weights(), batch.target_mask),
    }
    expected["loss"] = (
        0.7 * expected["attention_loss"]
        + 0.3 * expected["ctc_loss"]
        + 2 * expected["coverage_loss"]
    )
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value, rtol=0, atol=1e-12)


@pytest.mark.parametrize("attention", [ADDITIVE, MULTI_HEAD], ids=["additive", "multi_head"])
def test_every_parameter_gets_a_gradient(batch, attention, make) -> None:
    model = make(copying=True, ctc_weight=0.3, attention=attention)
    objective(smoothing=0.1, ctc_weight=0.3, coverage_weight=1.0)(model, batch)["loss"].backward()
    missed = [name for name, one in model.named_parameters() if not one.grad.abs().max() > 1e-12]
    assert missed == []


@pytest.mark.parametrize("attention", [ADDITIVE, MULTI_HEAD], ids=["additive", "multi_head"])
def test_coverage_alone_moves_the_attention(batch, attention, make) -> None:
    model = make(attention=attention)
    loss = objective(coverage_weight=1.0)(model, batch)["coverage_loss"]
    weight = model.decoder.attention.query.weight
    (grad,) = torch.autograd.grad(loss, weight)
    step = 1e-6
    with torch.no_grad():
        weight[0, 0] += step
    moved = objective(coverage_weight=1.0)(model, batch)["coverage_loss"]
    assert ((moved - loss) / step).item() == pytest.approx(grad[0, 0].item(), abs=1e-5)
    assert grad.abs().max() > 1e-6


def test_smoothing_acts_on_the_vocabulary_part_of_a_copying_model(batch, make) -> None:
    model = make(copying=True)
    state = model.start(encode(model, batch))
    vocabulary = model.output(model.decode(batch.target_in, state).features).log_softmax(-1)
    expected = 0.8 * nll(model, batch) - 0.2 * vocabulary[batch.target_mask][:, 2:].mean()
    loss = objective(smoothing=0.2)(model, batch)["loss"]
    torch.testing.assert_close(loss, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("copying", [False, True])
def test_r_drop_is_the_divergence_of_two_passes(batch, copying, monkeypatch, make) -> None:
    monkeypatch.setattr(teacher_forcing, "CHUNK_ROWS", 4)  # of six positions
    model = make(copying=copying)
    model.dropout.p = 0.5
    torch.manual_seed(0)
    parts = objective(r_drop_weight=3.0)(model, batch)
    gradients = torch.autograd.grad(parts["r_drop_loss"], list(model.parameters()))

    torch.manual_seed(0)
    twice = batch.doubled()
    scores = model(twice.source, twice.source_mask, twice.target_in).log_softmax(-1)[..., 2:]
    p, q = scores[:2][batch.target_mask], scores[2:][batch.target_mask]
    kl = partial(nn.functional.kl_div, log_target=True, reduction="batchmean")
    expected = (kl(q, p) + kl(p, q)) / 2
    assert expected > 0.01
    torch.testing.assert_close(parts["r_drop_loss"], expected, rtol=0, atol=1e-12)
    right = (twice.target_out - 2).clamp(min=0).unsqueeze(2)  # 0 at padding
    both = -scores.gather(2, right)[twice.target_mask].mean()
    torch.testing.assert_close(parts["attention_loss"], both, rtol=0, atol=1e-12)
    torch.testing.assert_close(parts["loss"], both + 3 * expected, rtol=0, atol=1e-12)
    for one, other in zip(
        gradients, torch.autograd.grad(expected, list(model.parameters())), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


def test_disagreement_by_hand() -> None:
    torch.manual_seed(0)
    features = torch.randn(10, 3, dtype=torch.float64)
    weight = torch.randn(7, 3, dtype=torch.float64)
    p, q = (features @ weight[FIRST_OUTPUT:].t()).softmax(-1).chunk(2)
    expected = ((p - q) * (p / q).log()).sum(1).mean() / 2
    torch.testing.assert_close(
        disagreement(features, weight, compiled=False), expected, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("copying", [False, True])
def test_what_is_no_output_gets_no_mass(batch, make, copying, dtype) -> None:
    """Smoothing and R-Drop leave its rows alone, and no gradient is nan."""
    model = make(copying=copying, ctc_weight=0.3).to(dtype)
    one = objective(smoothing=0.3, ctc_weight=0.2, coverage_weight=1.0, r_drop_weight=1.0)
    model.dropout.p = 0.5
    one(model, batch)["loss"].backward()
    for parameter in model.parameters():
        assert parameter.grad.isfinite().all()
    assert (model.output.weight.grad[:FIRST_OUTPUT] == 0).all()
    assert (model.output.weight.grad[FIRST_OUTPUT:] != 0).any()


def test_r_drop_without_dropout_is_the_plain_loss(batch, make) -> None:
    model = make(ctc_weight=0.3)
    plain = objective(ctc_weight=0.3, coverage_weight=1.0)(model, batch)
    double = objective(ctc_weight=0.3, coverage_weight=1.0, r_drop_weight=5.0)(model, batch)
    assert double.pop("r_drop_loss") == 0
    assert double.keys() == plain.keys()
    for name, value in plain.items():
        torch.testing.assert_close(double[name], value, rtol=0, atol=1e-12)


def test_coverage_by_hand() -> None:
    weights = torch.tensor([[[0.7, 0.3], [0.6, 0.4], [0.1, 0.9]], [[1.0, 0.0]] * 3])
    mask = torch.tensor([[True, True, True], [True, True, False]])
    # 0, then min(0.6, 0.7) + min(0.4, 0.3), then min(0.1, 1.3) + min(0.9, 0.7); 0, then 1
    assert coverage_loss(weights, mask).item() == pytest.approx((0.9 + 0.8 + 1.0) / 5)


def test_examples_that_ctc_cannot_align_are_told_of_once(batch, caplog, make) -> None:
    model = make(ctc_weight=0.3)
    short = batch.source_mask & (torch.arange(4) < 2)  # two positions for 4 5 4
    one = objective(ctc_weight=0.3)
    with caplog.at_level(logging.WARNING):
        one(model, batch)
        one.warn()
        assert caplog.messages == []
        for _ in range(2):
            losses = one(model, batch._replace(source_mask=short))
            one.warn()
    assert torch.isfinite(losses["loss"])
    (message,) = caplog.messages
    assert message.startswith("CTC learns nothing from 1 of the 4 examples so far, which have ")


@torch.inference_mode()
@pytest.mark.parametrize("copying", [False, True])
def test_totals_of_a_split(batch, copying, make) -> None:
    model = make(copying=copying, ctc_weight=0.3)
    totals = TeacherForcedTotals(model)
    for _ in range(2):
        totals.add(encode(model, batch), batch)
    means = totals.means("val")
    scores = model(batch.source, batch.source_mask, batch.target_in)
    right = (scores.argmax(-1) == batch.target_out)[batch.target_mask].double().mean().item()
    loss = nll(model, batch).item()
    assert means == pytest.approx(
        {
            "val/loss": loss,
            "val/perplexity": math.exp(loss),
            "val/token_accuracy": 100 * right,
            "val/ctc_loss": ctc(model, batch).item(),
        }
    )
    assert "val/ctc_loss" not in TeacherForcedTotals(make()).means("val")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ctc_weight": 1.5}, "`objective.ctc_weight` must be from 0 to 1, but is 1.5."),
        ({"coverage_weight": -1.0}, "`objective.coverage_weight` must be at least 0, but is -1.0."),
        ({"r_drop_weight": -1.0}, "`objective.r_drop_weight` must be at least 0, but is -1.0."),
        ({"smoothing": 1.0}, "`objective.smoothing` must be at least 0 and below 1, but is 1.0."),
    ],
)
def test_bad_options(options, message) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        objective(**options)
