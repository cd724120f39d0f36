"""Search under every combination: nothing is missed, and every score can be computed again."""

import itertools
from collections import Counter

import pytest
import torch

from tandem.config.launch import config_folder
from tandem.core.types import SPECIAL_IDS
from tandem.inference.decoding import Decoding, generate

LONGEST = 3
REQUIRED = 4
SEARCHES = sorted(path.stem for path in (config_folder() / "search").glob("*.yaml"))


def search(case, method, max_length: int):
    memory = case.model.encode(case.source, case.mask)
    return generate(case.model, Decoding(method), memory, max_length)


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
def test_a_beam_as_wide_as_the_space_equals_exhaustive_search(case, small_search) -> None:
    outputs = all_outputs()
    method = small_search("beam", width=len(outputs), length_penalty="gnmt", alpha=0.8)
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
def test_what_must_contain_a_symbol_is_the_part_of_it_that_does(case, small_search) -> None:
    outputs = [output for output in all_outputs() if REQUIRED in output]
    method = small_search("constrained", width=len(outputs), required=[[REQUIRED]])
    for row, found in enumerate(search(case, method, LONGEST)):
        log_probs = case.log_prob(row, outputs).tolist()
        expected = {
            tuple(output): score / len(output)
            for output, score in zip(outputs, log_probs, strict=True)
        }
        actual = {tuple(hypothesis.tokens): hypothesis.score for hypothesis in found}
        assert actual == pytest.approx(expected, rel=0, abs=1e-9)


@torch.inference_mode()
@pytest.mark.parametrize("name", SEARCHES)
def test_scores_equal_a_teacher_forced_pass(case, small_search, name) -> None:
    method = small_search(name)
    by_length = hasattr(method, "penalty")
    for row, found in enumerate(search(case, method, max_length=8)):
        log_probs = case.log_prob(row, [hypothesis.tokens for hypothesis in found])
        for hypothesis, log_prob in zip(found, log_probs.tolist(), strict=True):
            penalty = len(hypothesis.tokens) if by_length else 1
            assert hypothesis.score == pytest.approx(log_prob / penalty, rel=0, abs=1e-9)


@torch.inference_mode()
def test_samples_are_as_frequent_as_they_are_probable(case, small_search) -> None:
    """Pearson's chi-square over all outputs, of 2,000 samples a source.

    Outputs that are expected fewer than 5 times are one cell. The bound is exceeded once in 10^9
    draws by right frequencies (Wilson and Hilferty's approximation at 6 standard deviations).
    """
    method = small_search("sampling", num_samples=2000, seed=1)
    outputs = all_outputs()
    for row, found in enumerate(search(case, method, LONGEST)):
        expected = 2000 * case.log_prob(row, outputs).exp()
        counts = Counter(tuple(hypothesis.tokens) for hypothesis in found)
        observed = torch.tensor([counts[tuple(output)] for output in outputs]).double()
        assert observed.sum() == 2000
        rare = expected < 5
        cells = [
            torch.cat((values[~rare], values[rare].sum().unsqueeze(0)))
            for values in (observed, expected)
        ]
        statistic = ((cells[0] - cells[1]) ** 2 / cells[1].clamp(min=1e-9)).sum().item()
        freedom = len(cells[0]) - 1
        spread = 2 / (9 * freedom)
        assert statistic < freedom * (1 - spread + 6 * spread**0.5) ** 3
