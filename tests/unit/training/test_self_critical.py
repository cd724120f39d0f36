"""The gradient of the expected risk against sums over all outputs there are."""

import itertools
import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tandem.core.errors import InputError
from tandem.core.types import FIRST_OUTPUT, SPECIAL_IDS, Batch, Hypothesis
from tandem.data.tokenizers import WordTokenizer
from tandem.metrics import WER, ChrF, Metric
from tandem.models import Seq2Seq
from tandem.training import self_critical
from tandem.training.objective import Objective
from tandem.training.self_critical import SelfCritical

TARGET = WordTokenizer(
    shared=False, lowercase=False, normalization="none", vocabulary_size=20, min_frequency=1
).train(["a b c"])  # 4, 5 and 6
CHRF = ChrF(char_order=6, word_order=0, beta=2, lowercase=False)
MAX_LENGTH = 2
OUTPUTS = [[SPECIAL_IDS.eos]] + [
    [first, second]
    for first, second in itertools.product(range(FIRST_OUTPUT, 7), repeat=2)
    if first != SPECIAL_IDS.eos
]
"""Every output of up to two symbols."""
SOURCE = torch.tensor([[4, 5, 6, 2], [6, 2, 0, 0]])
NO_TEACHER: dict[str, Any] = {"teacher": None, "teacher_weight": 0.5, "teacher_temperature": 1.0}
PLAIN = {"smoothing": 0.0, "coverage_weight": 0.0, "r_drop_weight": 0.0, **NO_TEACHER}
OBJECTIVE = Objective(**PLAIN, ctc_weight=0.0)


def self_critical_of(
    metric: Metric = CHRF, *, num_samples: Any = 5, baseline: str = "others", weight: float = 1.0
) -> SelfCritical:
    return SelfCritical(
        metric={"one": metric}, num_samples=num_samples, baseline=baseline, weight=weight
    )


def expected(one: SelfCritical, model: Seq2Seq, batch: Batch) -> Tensor:
    return one.expected(model, batch, target=TARGET, max_length=MAX_LENGTH)


def likelihoods(model: Seq2Seq, batch: Batch) -> Tensor:
    """``p(y | x)`` of every output, (B, outputs), one symbol after the other."""
    each = []
    for output in OUTPUTS:
        target_in = torch.tensor([[SPECIAL_IDS.bos, *output[:-1]]]).expand(len(batch.source), -1)
        scores = model(batch.source, batch.source_mask, target_in).log_softmax(-1)
        symbols = torch.tensor([output]).expand(len(batch.source), -1)
        each.append(scores.gather(2, symbols.unsqueeze(2)).sum((1, 2)).exp())
    return torch.stack(each, 1)


def risks(one: SelfCritical, batch: Batch) -> Tensor:
    """Of every output, (B, outputs)."""
    texts = [TARGET.decode(output) for output in OUTPUTS]
    right = [TARGET.decode(ids) for ids in batch.target_out.tolist()]
    return torch.tensor([one.risk(texts, [[text]] * len(texts)) for text in right]).double()


def gradients(value: Tensor, model: Seq2Seq) -> Tensor:
    parts = torch.autograd.grad(value, list(model.parameters()), allow_unused=True)
    return torch.cat([part.flatten() for part in parts if part is not None])


def drawn_in_turn(monkeypatch: pytest.MonkeyPatch, *searches: list[list[list[int]]]) -> None:
    """Let searches find outputs for each source, one call after the other."""
    left = iter(searches)

    def generate(*_: Any) -> list[list[Hypothesis]]:
        found = next(left)
        return [[Hypothesis(tokens=ids, score=0.0) for ids in outputs] for outputs in found]

    monkeypatch.setattr(self_critical, "generate", generate)


@pytest.mark.parametrize("copying", [False, True])
@pytest.mark.parametrize("baseline", ["others", "greedy"])
def test_the_gradient_is_that_of_the_expected_risk(batch, make, baseline, copying) -> None:
    """Within what 20,000 samples may be off, a tenth of the gradient."""
    model = make(copying=copying)
    model.dropout.p = 0.5  # which has no part in it
    torch.manual_seed(0)
    one = self_critical_of(num_samples=20_000, baseline=baseline)
    found = expected(one, model, batch)
    assert model.training
    slope = gradients(found, model)
    model.eval()
    probabilities = likelihoods(model, batch)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(2).double(), rtol=0, atol=1e-12)
    exact = (probabilities * risks(one, batch)).sum() / 6  # symbols of the batch's targets
    assert found.item() == pytest.approx(exact.item(), abs=0.003)
    right = gradients(exact, model)
    assert len(slope) == len(right)
    assert (slope - right).norm() < 0.1 * right.norm()
    assert right.norm() > 0.05


@pytest.mark.parametrize(("baseline", "factor"), [("greedy", 1.0), ("others", 25 / 24)])
def test_samples_in_proportion_give_it_exactly(batch, make, monkeypatch, baseline, factor) -> None:
    """Of even probabilities: ``eos`` 5 times of 25; n / (n - 1) is what the mean of others adds."""
    model = make()
    nn.init.zeros_(model.output.weight)
    samples = [OUTPUTS[0]] * 4 + OUTPUTS
    drawn_in_turn(monkeypatch, [samples] * 2, [[[4, 5]], [[6, 2]]])
    one = self_critical_of(WER(normalization="none"), num_samples=25, baseline=baseline)
    found = expected(one, model, batch)
    exact = (likelihoods(model, batch) * risks(one, batch)).sum() / 6
    torch.testing.assert_close(found.double(), exact, rtol=0, atol=1e-6)
    slopes = [torch.autograd.grad(value, model.output.weight)[0] for value in (found, exact)]
    assert slopes[1].norm() > 0.01
    torch.testing.assert_close(slopes[0], factor * slopes[1], rtol=0, atol=1e-6)


def test_by_hand(batch, make, monkeypatch) -> None:
    """Of four samples of ``a b a`` one is right; of ``c`` all are."""
    model, right, wrong = make(), [4, 5, 4, 2], [5, 2]
    drawn_in_turn(monkeypatch, [[right, wrong, wrong, wrong], [[6, 2]] * 4])
    one = self_critical_of(WER(normalization="none"), num_samples=4)
    found = expected(one, model, batch)
    assert found.item() == pytest.approx(3 / 4 * 2 / 3 / 6)  # two of three words are missing
    scores = model(batch.source, batch.source_mask, batch.target_in).log_softmax(-1)
    log_right = sum(scores[0, place, symbol] for place, symbol in enumerate(right))
    shorter = torch.tensor([[1, 5], [1, 5]])
    scores = model(batch.source, batch.source_mask, shorter).log_softmax(-1)
    log_wrong = scores[0, 0, 5] + scores[0, 1, 2]
    others = (2 / 3 * 2) / 3  # of a wrong one: two others are wrong
    hoped = ((0 - 2 / 3) * log_right + 3 * (2 / 3 - others) * log_wrong) / 4 / 6
    torch.testing.assert_close(gradients(found, model), gradients(hoped, model), rtol=0, atol=1e-6)


def test_the_same_random_numbers_draw_the_same(batch, make) -> None:
    model, values = make(), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        values.append(gradients(expected(self_critical_of(), model, batch), model))
    assert torch.equal(values[0], values[1])
    assert not torch.equal(values[0], values[2])


def test_it_is_mixed_with_the_objective(batch, make) -> None:
    model = make(ctc_weight=0.3)
    objective = Objective(**PLAIN, ctc_weight=0.3)

    def losses(weight: float) -> dict[str, Tensor]:
        torch.manual_seed(0)
        one = self_critical_of(weight=weight)
        return one(objective, model, batch, target=TARGET, max_length=MAX_LENGTH)

    alone, supervised, mixed = losses(1.0), objective(model, batch), losses(0.75)
    assert list(alone) == ["loss"]
    assert list(mixed) == ["loss", "supervised_loss", "attention_loss", "ctc_loss", "risk_loss"]
    assert torch.equal(mixed["risk_loss"], alone["loss"])
    assert torch.equal(mixed["supervised_loss"], supervised["loss"])
    hoped = 0.75 * alone["loss"] + 0.25 * supervised["loss"]
    torch.testing.assert_close(mixed["loss"], hoped, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"baseline": "mean"},
            "`risk.baseline` must be one of others, greedy, but is 'mean'.",
        ),
        (
            {"num_samples": 1},
            "`risk.num_samples` must be a whole number of at least 2 with risk.baseline=others, "
            "but is 1.",
        ),
        (
            {"num_samples": 0.5, "baseline": "greedy"},
            "`risk.num_samples` must be a whole number of at least 1 with risk.baseline=greedy, "
            "but is 0.5.",
        ),
        (
            {"weight": 0.0},
            "`risk.weight` must be above 0 and at most 1, but is 0.0; to train without the risk "
            "set risk=null.",
        ),
    ],
)
def test_bad_options(options, message) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        self_critical_of(**options)


def test_one_metric() -> None:
    message = "metric@risk.metric takes one metric, but got a, b; choose one."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        SelfCritical(metric={"a": CHRF, "b": CHRF}, num_samples=2, baseline="others", weight=1.0)


def test_frozen_modules_stay_in_evaluation_mode(batch, make) -> None:
    model = make()
    model.encoder.eval()
    modes = {name: module.training for name, module in model.named_modules()}
    expected(self_critical_of(), model, batch)
    assert {name: module.training for name, module in model.named_modules()} == modes
    assert model.training
