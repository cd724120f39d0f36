"""Joint search: nothing is missed, and every score can be computed again."""

import itertools
import math
import re

import pytest
import torch

from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS
from tandem.inference.decoding import Decoding, generate
from tandem.search import BeamSearch, GreedySearch
from tandem.search.scorers import CTCScorer

EOS, LONGEST = SPECIAL_IDS.eos, 3
SOURCE = torch.tensor([[4, 5, 3, 2], [2, 0, 0, 0], [5, 5, 2, 0]])
MASK = torch.tensor([[True] * 4, [True, False, False, False], [True, True, True, False]])


def beam(width: int) -> BeamSearch:
    return BeamSearch(width=width, length_penalty="none", alpha=1.0, stop="pool")


def decoder_log_prob(model, row: int, tokens: list[int]) -> float:
    """In a teacher-forced pass."""
    target_in = torch.tensor([[SPECIAL_IDS.bos, *tokens[:-1]]])
    log_probs = model(SOURCE[row : row + 1], MASK[row : row + 1], target_in).log_softmax(-1)
    return sum(log_probs[0, place, token].item() for place, token in enumerate(tokens))


def all_outputs() -> list[list[int]]:
    """Whatever can be written in up to ``LONGEST`` symbols, ``eos`` included."""
    others = [token for token in range(6) if token != EOS]
    ended = [
        [*start, EOS]
        for length in range(LONGEST)
        for start in itertools.product(others, repeat=length)
    ]
    return ended + [list(cut) for cut in itertools.product(others, repeat=LONGEST)]


@torch.inference_mode()
@pytest.mark.parametrize("copying", [False, True], ids=["generating", "copying"])
@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_a_beam_as_wide_as_the_space_equals_exhaustive_scoring(
    small_model, alignments, weight, copying
) -> None:
    model = small_model(copying=copying, ctc_weight=0.5)
    memory = model.encode(SOURCE, MASK)
    table = alignments(model.ctc.log_probs(memory), MASK)
    outputs = all_outputs()
    decoding = Decoding(beam(len(outputs)), scorers=(CTCScorer(weight=weight),))
    for row, found in enumerate(generate(model, decoding, memory, LONGEST)):
        expected = {
            tuple(tokens): (1 - weight) * decoder_log_prob(model, row, tokens)
            + weight * table.log(row, tokens)
            for tokens in outputs
        }
        expected = {tokens: score for tokens, score in expected.items() if score > -math.inf}
        actual = {tuple(hypothesis.tokens): hypothesis.score for hypothesis in found}
        assert actual == pytest.approx(expected, rel=0, abs=1e-9)
        assert [hypothesis.score for hypothesis in found] == sorted(actual.values(), reverse=True)


@torch.inference_mode()
@pytest.mark.parametrize("method", [beam(3), GreedySearch()], ids=["beam", "greedy"])
def test_scores_can_be_computed_again(small_model, alignments, method) -> None:
    model = small_model(ctc_weight=0.5)
    memory = model.encode(SOURCE, MASK)
    table = alignments(model.ctc.log_probs(memory), MASK)
    decoding = Decoding(method, scorers=(CTCScorer(weight=0.4),))
    for row, found in enumerate(generate(model, decoding, memory, 5)):
        for one in found:
            by_decoder, by_ctc = (
                decoder_log_prob(model, row, one.tokens),
                table.log(row, one.tokens),
            )
            assert one.score == pytest.approx(0.6 * by_decoder + 0.4 * by_ctc, abs=1e-9)


@pytest.mark.parametrize("weight", [0, -0.1, 1.5, "half"])
def test_a_weight_that_is_no_share_is_refused(weight) -> None:
    message = (
        f"`scorer.ctc.weight` must be above 0 and at most 1, but is {weight!r}; to search without "
        "CTC choose scorer=none."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        CTCScorer(weight=weight)


def test_a_model_without_ctc_is_refused(small_model) -> None:
    message = (
        "scorer=ctc needs a model with a CTC layer; train it with objective.ctc_weight above 0 or "
        "choose scorer=none."
    )
    decoding = Decoding(beam(1), scorers=(CTCScorer(weight=0.3),))
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        decoding.check(small_model())
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):  # one of an ensemble, say
        generate(small_model(), decoding, small_model().encode(SOURCE, MASK), 3)
    decoding.check(small_model(ctc_weight=0.1))
