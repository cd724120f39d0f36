"""Search with a coverage penalty: every score can be computed again, and it changes the order."""

import math
import re

import pytest
import torch

from tandem.attentions import NoAttention
from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS
from tandem.inference.decoding import check_search, generate
from tandem.models import CoverageStep
from tandem.models.coverage import LEAST
from tandem.models.seq2seq import Predicted
from tandem.search import BeamSearch

EOS, LONGEST = SPECIAL_IDS.eos, 3
SOURCE = torch.tensor([[4, 5, 3, 2], [2, 0, 0, 0], [5, 5, 2, 0]])
MASK = torch.tensor([[True] * 4, [True, False, False, False], [True, True, True, False]])


def forced(model, row: int, tokens: list[int], penalty: float) -> float:
    """Log-probability and penalty in a teacher-forced pass over one source without padding."""
    length = int(MASK[row].sum())
    source, target_in = SOURCE[row : row + 1, :length], [[SPECIAL_IDS.bos, *tokens[:-1]]]
    state = model.start(model.encode(source, source.new_ones(source.shape).bool()))
    predicted = model.decode(torch.tensor(target_in), state)
    scores = model.scores(predicted)
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
    search = BeamSearch(
        width=30, length_penalty="none", alpha=1.0, ctc_weight=ctc_weight, coverage_penalty=0.7
    )
    for row, found in enumerate(generate(model, search, memory, LONGEST)):
        assert len(found) >= 4
        for hypothesis in found:
            expected = (1 - ctc_weight) * forced(model, row, hypothesis.tokens, 0.7)
            if ctc_weight:
                expected += ctc_weight * table.log(row, hypothesis.tokens)
            assert hypothesis.score == pytest.approx(expected, rel=0, abs=1e-9)


class TwoWords:
    """Ends with equal probability after one symbol or two, each of which looks at one place."""

    normalized = True

    def start(self, memory: Memory) -> State:
        return State(carry=(torch.zeros(len(memory.mask), dtype=torch.long),))

    def decode(self, tokens: torch.Tensor, state: State) -> Predicted:
        (count,) = state.carry
        weights = torch.nn.functional.one_hot(count.clamp(max=1), 2).double().unsqueeze(1)
        after = State(carry=(count + 1,))
        return Predicted(count.double(), None, lambda: weights, after)

    def scores(self, predicted: Predicted) -> torch.Tensor:
        (count,) = predicted.state.carry  # of symbols, the one to come included
        table = torch.full((len(count), 1, 6), -torch.inf, dtype=torch.float64)
        table[count == 1, :, EOS] = math.log(0.6)  # sees the first place only
        table[count == 1, :, 4] = math.log(0.4)
        table[count > 1, :, EOS] = 0.0
        return table


def test_an_ending_that_leaves_a_place_unseen_loses_by_the_formula() -> None:
    memory = Memory(torch.zeros(1, 2, 1), torch.ones(1, 2, dtype=torch.bool), torch.zeros(1, 1))
    step = CoverageStep(TwoWords(), penalty=0.2)
    early, state = step.step(torch.tensor([SPECIAL_IDS.bos]), step.start(memory))
    assert early[0, EOS].item() == pytest.approx(math.log(0.6) + 0.2 * math.log(LEAST), abs=1e-6)
    assert early[0, 4].item() == pytest.approx(math.log(0.4))
    late, _ = step.step(torch.tensor([4]), state)
    assert late[0, EOS].item() == pytest.approx(0.0)  # both places have all the attention they need


def test_a_penalty_that_is_no_number_is_refused() -> None:
    message = re.escape("`search.coverage_penalty` must be from 0 to 100, but is -1.")
    with pytest.raises(InputError, match=message):
        BeamSearch(width=1, length_penalty="none", alpha=1.0, ctc_weight=None, coverage_penalty=-1)


def test_an_attention_without_weights_is_refused(small_model) -> None:
    search = BeamSearch(
        width=1, length_penalty="none", alpha=1.0, ctc_weight=None, coverage_penalty=0.2
    )
    model = small_model()
    check_search(model, search)
    message = "needs attention weights, which this model's attention does not have"
    with pytest.raises(InputError, match=message):
        check_search(small_model(attention=NoAttention), search)
