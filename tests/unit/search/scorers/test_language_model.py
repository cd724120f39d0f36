"""Shallow fusion keeps what every scorer promises, alone and in a list."""

import pytest
import torch

from tandem.attentions import NoAttention
from tandem.core.errors import InputError
from tandem.encoders import NoEncoder
from tandem.frontends import NoFrontend
from tandem.inference.decoding import Decoding, generate
from tandem.search import BeamSearch
from tandem.search.scorers import CoveragePenalty, CTCScorer, LanguageModelScorer
from tandem.testing import check_scorer
from tandem.testing.partners import recurrent_decoder, small_model

SOURCE = torch.tensor([[4, 5, 3, 2], [2, 0, 0, 0], [5, 5, 2, 0]])
MASK = torch.tensor([[True] * 4, [True, False, False, False], [True, True, True, False]])


def scorer(weight: float, internal_weight: float) -> LanguageModelScorer:
    decoder = recurrent_decoder(attention=NoAttention)
    torch.manual_seed(3)
    model = small_model(frontend=NoFrontend, encoder=NoEncoder, decoder=decoder).double().eval()
    made = LanguageModelScorer(path=None, weight=weight, internal_weight=internal_weight)
    return made.with_model(model, [])


@pytest.mark.parametrize("internal_weight", [0.0, 0.4])
def test_it_is_a_scorer(internal_weight: float) -> None:
    check_scorer(scorer(0.7, internal_weight))


@torch.inference_mode()
def test_scorers_of_a_list_add_up() -> None:
    model = small_model(ctc_weight=0.5).double().eval()
    memory = model.encode(SOURCE, MASK)
    method = BeamSearch(width=3, length_penalty="none", alpha=0.0, stop="pool")

    def score(tokens: list[int], row: int, *scorers) -> float:
        decoding = Decoding(method, scorers)
        step, state = decoding.step(model), decoding.start(model, memory)
        total, last = 0.0, 1
        for token in tokens:
            scores, state = step.scores(torch.full((3,), last), state)
            total, last = total + step.log_probs(scores)[row, token].item(), token
        return total

    others, ours = (CTCScorer(weight=0.3), CoveragePenalty(penalty=0.2)), scorer(0.5, 0.2)
    for row, found in enumerate(generate(model, Decoding(method, (*others, ours)), memory, 4)):
        for one in found:
            added = score(one.tokens, row, ours) - score(one.tokens, row)
            expected = score(one.tokens, row, *others) + added
            assert one.score == pytest.approx(expected, abs=1e-9)


def test_a_copying_model_has_no_internal_language_model(small_model) -> None:
    copying = small_model(copying=True, ctc_weight=0.0)
    scorer(0.5, 0.0).check(copying)
    with pytest.raises(InputError, match=r"^`scorer\.language_model\.internal_weight` \(0\.2\)"):
        scorer(0.5, 0.2).check(copying)


@pytest.mark.parametrize("weight", [-0.1, 11, float("nan"), "1"])
def test_weights_that_cannot_be(weight: object) -> None:
    with pytest.raises(InputError, match=r"^`scorer\.language_model\.weight` must be from 0 to 10"):
        scorer(weight, 0.0)  # type: ignore[arg-type]
