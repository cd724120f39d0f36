"""The pointer-generator, by hand and as a distribution."""

import math
import re
from dataclasses import replace

import pytest
import torch

from tandem.core.errors import InputError
from tandem.core.types import FIRST_OUTPUT
from tandem.models.copying import Copied, Copier

SOURCE = torch.tensor([[4, 5, 4, 2], [3, 2, 0, 0]])
MASK = torch.tensor([[True] * 4, [True, True, False, False]])


def one_position(gate: float = 0.0) -> Copied:
    """Copies 4 with 0.5 + 0.2, 5 with 0.3."""
    return Copied(
        gate=torch.tensor([gate], dtype=torch.float64),
        weights=torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64),
        source=torch.tensor([[4, 5, 4]]),
    )


def test_the_mixture_by_hand() -> None:
    generated = torch.tensor([[0, 0, 0.2, 0.3, 0.2, 0.1]], dtype=torch.float64)
    gate = math.log(3)  # p_gen = 3/4
    mixed = one_position(gate).log_probs(generated.log() + 7).exp()  # logits are free to shift
    generates, copies = [0, 0, 0.25, 0.375, 0.25, 0.125], [0, 0, 0, 0, 0.7, 0.3]
    expected = [0.75 * g + 0.25 * c for g, c in zip(generates, copies, strict=True)]
    assert mixed[0].tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("target", range(FIRST_OUTPUT, 6))
def test_one_symbol_equals_the_whole_distribution(target: int) -> None:
    logits = torch.randn(1, 6, dtype=torch.float64)
    copied = one_position(0.4)
    generated = logits.log_softmax(-1)[:, target]
    found = copied.log_prob_of(torch.tensor([target]), generated)
    torch.testing.assert_close(found, copied.log_probs(logits)[:, target], rtol=0, atol=1e-12)


@pytest.mark.parametrize("target", [3, 4])
def test_gradients_are_finite_and_reach_the_weights(target: int) -> None:
    logits = torch.tensor([[-90.0, 0, 0, -90, -90, 0]], requires_grad=True)
    weights = torch.tensor([[1.0, 0.0, 0.0]], requires_grad=True)
    gate = torch.zeros(1, requires_grad=True)
    copied = Copied(gate, weights, torch.tensor([[4, 5, 4]]))
    copied.log_probs(logits)[:, target].sum().backward()
    for part in (logits, weights, gate):
        assert torch.isfinite(part.grad).all()
    assert (weights.grad[0, 0] > 0) == (target == 4)


def test_positions_are_chosen_and_split() -> None:
    copied = Copied(torch.arange(6.0).view(2, 3), torch.rand(2, 3, 4), torch.ones(2, 3, 4).long())
    chosen = copied.at(torch.tensor([0, 4, 5]))
    assert chosen.gate.tolist() == [0, 4, 5]
    assert torch.equal(chosen.weights[1], copied.weights[1, 1])
    assert [part.gate.tolist() for part in chosen.split(2)] == [[0, 4], [5]]


def test_the_copier_scales_weights_and_shares_sources() -> None:
    copier = Copier(features_size=3, input_size=2)
    weights = torch.tensor([[[0.2, 0.2]], [[0.1, 0.3]], [[1.0, 0.0]], [[0.0, 0.0]]])
    copied = copier(
        torch.ones(4, 1, 3), torch.ones(4, 1, 2), weights, torch.tensor([[4, 5], [5, 3]])
    )
    assert copied.weights[:3].flatten(1).tolist() == [
        pytest.approx([0.5, 0.5]),
        pytest.approx([0.25, 0.75]),
        [1.0, 0.0],
    ]
    assert copied.source[:, 0].tolist() == [[4, 5], [4, 5], [5, 3], [5, 3]]
    expected = copier.gate.weight.sum() + copier.gate.bias
    torch.testing.assert_close(copied.gate[:3], expected.expand(3, 1))
    assert copied.gate[3].sigmoid() == 1  # nothing can be copied there


def test_what_no_output_holds_is_not_copied() -> None:
    """``[CLS]`` or ``<s>`` around a source may have the id of ``bos``."""
    copier = Copier(features_size=3, input_size=2)
    weights = torch.tensor([[[0.6, 0.3, 0.1]], [[0.7, 0.2, 0.1]]])
    sources = torch.tensor([[1, 4, 2], [1, 1, 0]])
    copied = copier(torch.ones(2, 1, 3), torch.ones(2, 1, 2), weights, sources)
    assert copied.weights[0, 0].tolist() == pytest.approx([0, 0.75, 0.25])
    logits = torch.tensor([-torch.inf, -torch.inf, 0, 1, 2, 3])
    log_probs = copied.log_probs(logits.expand(2, 1, -1))
    assert log_probs.exp().sum(-1).tolist() == [[pytest.approx(1)], [pytest.approx(1)]]
    assert (log_probs[..., :FIRST_OUTPUT] == -torch.inf).all()
    torch.testing.assert_close(log_probs[1, 0], logits.log_softmax(-1))


@torch.inference_mode()
def test_a_models_scores_are_log_probabilities(small_model) -> None:
    model = small_model(copying=True)
    scores = model(SOURCE, MASK, torch.tensor([[1, 4, 5], [1, 3, 3]]))
    assert scores.exp().sum(-1).flatten().tolist() == pytest.approx([1.0] * 6)
    assert model.normalized


@torch.inference_mode()
def test_a_closed_gate_copies_only_what_is_in_the_source(small_model) -> None:
    model = small_model(copying=True)
    model.copier.gate.bias.fill_(-50.0)
    probs = model(SOURCE, MASK, torch.tensor([[1, 4], [1, 3]])).exp()
    assert (probs[0][:, [0, 1, 3]] < 1e-9).all()  # it has 4, 5 and 2
    assert (probs[1][:, [0, 1, 4, 5]] < 1e-9).all()
    model.copier.gate.bias.fill_(50.0)
    state = model.start(model.encode(SOURCE, MASK))
    predicted = model.decode(torch.tensor([[1], [1]]), state)
    plain = model.output(predicted.features).log_softmax(-1)
    scores = model.scores(predicted.features, predicted.copied)
    torch.testing.assert_close(scores, plain, rtol=0, atol=1e-9)


def test_an_encoder_that_shortens_is_refused(small_model) -> None:
    model = small_model(copying=True)
    read = model.encoder.forward

    def half(inputs, mask):
        memory = read(inputs, mask)
        return replace(memory, states=memory.states[:, ::2], mask=memory.mask[:, ::2])

    model.encoder.forward = half
    message = (
        "model.copying=true needs one memory position for each source symbol, but 4 symbols became "
        "2 positions; use an encoder that keeps the length or model.copying=false."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        model.encode(SOURCE, MASK)
