"""Search under every combination: nothing is missed, and every score can be computed again."""

import itertools

import pytest
import torch

from tandem.core.types import SPECIAL_IDS
from tandem.search import BeamSearch, GreedySearch
from tandem.training.evaluation import generate

LONGEST = 3


def search(case, method, max_length: int):
    return generate(case.model, method, case.model.encode(case.source, case.mask), max_length)


def all_outputs() -> list[list[int]]:
    """Whatever can be written in up to ``LONGEST`` symbols, ``eos`` included."""
    eos, others = SPECIAL_IDS.eos, [token for token in range(6) if token != SPECIAL_IDS.eos]
    ended = [
        [*start, eos]
        for length in range(LONGEST - 1)
        for start in itertools.product(others, repeat=length)
    ]
    cut = [
        [*start, last]
        for start in itertools.product(others, repeat=LONGEST - 1)
        for last in range(6)
    ]
    return ended + cut


@torch.inference_mode()
def test_a_beam_as_wide_as_the_space_equals_exhaustive_search(case) -> None:
    outputs = all_outputs()
    method = BeamSearch(width=len(outputs), length_penalty="gnmt", alpha=0.8, ctc_weight=None)
    for row, found in enumerate(search(case, method, LONGEST)):
        log_probs = case.log_prob(row, outputs)
        scores = [
            log_prob / method.penalty(len(tokens))
            for log_prob, tokens in zip(log_probs.tolist(), outputs, strict=True)
        ]
        expected = {tuple(tokens): score for tokens, score in zip(outputs, scores, strict=True)}
        actual = {tuple(hypothesis.tokens): hypothesis.score for hypothesis in found}
        assert actual == pytest.approx(expected, rel=0, abs=1e-9)
        assert [hypothesis.score for hypothesis in found] == sorted(actual.values(), reverse=True)


@torch.inference_mode()
@pytest.mark.parametrize(
    "method",
    [
        GreedySearch(ctc_weight=None),
        BeamSearch(width=3, length_penalty="average", alpha=1.0, ctc_weight=None),
    ],
    ids=["greedy", "beam"],
)
def test_scores_equal_a_teacher_forced_pass(case, method) -> None:
    for row, found in enumerate(search(case, method, max_length=8)):
        log_probs = case.log_prob(row, [hypothesis.tokens for hypothesis in found])
        for hypothesis, log_prob in zip(found, log_probs.tolist(), strict=True):
            penalty = len(hypothesis.tokens) if isinstance(method, BeamSearch) else 1
            assert hypothesis.score == pytest.approx(log_prob / penalty, rel=0, abs=1e-9)
