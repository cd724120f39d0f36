"""Search with a coverage penalty: every score can be computed again, and it changes the order."""

import math
import re

import pytest
import torch

from tandem.attentions import NoAttention
from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.types import SPECIAL_IDS
from tandem.inference.decoding import Decoding, generate
from tandem.search import BeamSearch
from tandem.search.scorers import CoveragePenalty, CTCScorer
from tandem.search.scorers.coverage import LEAST

EOS, LONGEST = SPECIAL_IDS.eos, 3
SOURCE = torch.tensor([[4, 5, 3, 2], [2, 0, 0, 0], [5, 5, 2, 0]])
BEAM = BeamSearch(width=30, length_penalty="none", alpha=1.0, stop="pool")
MASK = torch.tensor([[True] * 4, [True, False, False, False], [True, True, True, False]])


def forced(model, row: int, tokens: list[int], penalty: float) -> float:
    """Log-probability and penalty in a teacher-forced pass over one source without padding."""
    length = int(MASK[row].sum())
    source, target_in = SOURCE[row : row + 1, :length], [[SPECIAL_IDS.bos, *tokens[:-1]]]
    state = model.start(model.encode(source, source.new_ones(source.shape).bool()))
    predicted = model.decode(torch.tensor(target_in), state)
    scores = model.scores(predicted.features, predicted.copied)
    log_probs = scores if model.normalized else scores.log_softmax(-1)
    total = sum(log_probs[0, place, token].item() for place, token in enumerate(tokens))
    if tokens[-1] != EOS:
        return total
    seen = predicted.weights()[0].sum(0).tolist()
    return total + penalty * sum(math.log(min(max(part, LEAST), 1.0)) for part in seen)


@torch.inference_mode()
@pytest.mark.parametrize("copying", [False, True], ids=["generating", "copying"])
@pytest.mark.parametrize("ctc_weight", [0.0, 0.4])
def test_each_score_is_that_of_a_teacher_forced_pass(
    small_model, alignments, copying, ctc_weight
) -> None:
    model = small_model(copying=copying, ctc_weight=0.5)
    memory = model.encode(SOURCE, MASK)
    table = alignments(model.ctc.log_probs(memory), MASK)
    scorers = [CoveragePenalty(penalty=0.7)]
    if ctc_weight:
        scorers.append(CTCScorer(weight=ctc_weight))
    decoding = Decoding(BEAM, scorers=tuple(scorers))
    for row, found in enumerate(generate(model, decoding, memory, LONGEST)):
        assert len(found) >= 4
        for hypothesis in found:
            expected = (1 - ctc_weight) * forced(model, row, hypothesis.tokens, 0.7)
            if ctc_weight:
                expected += ctc_weight * table.log(row, hypothesis.tokens)
            assert hypothesis.score == pytest.approx(expected, rel=0, abs=1e-9)


def test_an_ending_that_leaves_a_place_unseen_loses_by_the_formula(small_model) -> None:
    """Two places, and two symbols, of which each looks at one of them."""
    memory = Memory(torch.zeros(1, 2, 1), torch.ones(1, 2, dtype=torch.bool), torch.zeros(1, 1))
    scorer = CoveragePenalty(penalty=0.2)
    log_probs = torch.tensor([[0.0, 0.0, 0.6, 0.0, 0.4, 0.0]]).log()
    state = scorer.start(small_model(), memory)
    for looked_at, lowered in (([1.0, 0.0], 0.2 * math.log(LEAST)), ([0.0, 1.0], 0.0)):
        weights = torch.tensor([looked_at])
        scores, state = scorer(torch.tensor([4]), log_probs, lambda weights=weights: weights, state)
        assert scores[0, EOS].item() == pytest.approx(math.log(0.6) + lowered, abs=1e-6)
        assert scores[0, 4].item() == pytest.approx(math.log(0.4))


@pytest.mark.parametrize("penalty", [-1, 101, math.nan, "much"])
def test_a_penalty_that_is_no_number_is_refused(penalty) -> None:
    message = f"`scorer.coverage.penalty` must be from 0 to 100, but is {penalty!r}."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        CoveragePenalty(penalty=penalty)


def test_an_attention_without_weights_is_refused(small_model) -> None:
    decoding = Decoding(BEAM, scorers=(CoveragePenalty(penalty=0.2),))
    decoding.check(small_model())
    message = (
        "scorer=coverage needs attention weights, which this model's attention does not have; "
        "choose another attention or leave this scorer out."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        decoding.check(small_model(attention=NoAttention))
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):  # one of an ensemble, say
        generate(
            small_model(attention=NoAttention),
            decoding,
            small_model(attention=NoAttention).encode(SOURCE, MASK),
            3,
        )
