"""Search under every combination: nothing is missed, and every score can be computed again.

What a search does beyond moving rows is the same for all models: the other searches than beam are
tried on every option, but not on every combination.
"""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from tandem.config.folders import config_folder
from tandem.core.types import SPECIAL_IDS
from tandem.search.scorers import LanguageModelScorer
from tandem.testing import searching

REQUIRED = 4
OTHER_SEARCHES = sorted(
    {path.stem for path in (config_folder() / "search").glob("*.yaml")} - {"beam"}
)


def average(length: int) -> float:
    """The length penalty of most searches as they stand in ``conf/``."""
    return length


def test_a_beam_misses_nothing_and_scores_are_those_of_a_teacher_forced_pass(
    case, small_search
) -> None:
    """One as wide as the space equals exhaustive search; a narrow one moves its states along."""
    outputs = searching.all_outputs()
    method = small_search("beam", width=len(outputs), length_penalty="gnmt", alpha=0.8)
    searching.finds_all(case, method, outputs, method.penalty)
    searching.scores_equal_teacher_forcing(case, small_search("beam"), average)


def test_what_must_contain_a_symbol_is_the_part_of_it_that_does(option_case, small_search) -> None:
    outputs = [output for output in searching.all_outputs() if REQUIRED in output]
    method = small_search("constrained", width=len(outputs), required=[[REQUIRED]])
    searching.finds_all(option_case, method, outputs, average)


WEIGHT, INTERNAL_WEIGHT = 0.4, 0.3


def fused(case, language_model):
    """The case with a language model's say, and what single passes say of outputs."""
    weight = 0.0 if case.model.normalized else INTERNAL_WEIGHT
    scorer = LanguageModelScorer(path=None, weight=WEIGHT, internal_weight=weight)
    scorer = scorer.with_model(language_model.model, [])

    def log_prob(row: int, outputs: list[list[int]]) -> torch.Tensor:
        said = case.log_prob(row, outputs) + WEIGHT * language_model.log_prob(0, outputs)
        if not weight:
            return said
        memory = case.model.encode(case.source[row : row + 1], case.mask[row : row + 1])
        zeros = (torch.zeros_like(part) for part in (memory.states, memory.summary))
        empty = replace(memory, **dict(zip(("states", "summary"), zeros, strict=True)))
        internal = []
        for tokens in outputs:
            read = torch.tensor([[SPECIAL_IDS.bos, *tokens[:-1]]], device=case.device)
            predicted = case.model.decode(read, case.model.start(empty))
            scores = case.model.scores(predicted.features, None)[0].log_softmax(-1)
            internal.append(scores[range(len(tokens)), tokens].sum())
        return said - weight * torch.stack(internal)

    return replace(case, scorers=(scorer,)), log_prob


def expect_fused_scores(case, language_model, method) -> None:
    together, log_prob = fused(case, language_model)
    for row, found in enumerate(searching.hypotheses(together, method, 6)):
        expected = log_prob(row, [one.tokens for one in found]).tolist()
        assert [one.score for one in found] == pytest.approx(expected, rel=0, abs=1e-9)


@torch.inference_mode()
def test_a_language_model_s_say_is_that_of_a_pass_of_its_own(
    option_case, language_models, small_search
) -> None:
    method = small_search("beam", length_penalty="none")
    expect_fused_scores(option_case, language_models("gru"), method)


@torch.inference_mode()
def test_each_language_model_has_its_say_in_each_search(
    cases_of_options, language_model_case, small_search
) -> None:
    case = cases_of_options["decoder", "transformer"]
    for name in ("beam", *OTHER_SEARCHES):
        method = small_search(name)
        if hasattr(method, "penalty"):
            method = small_search(name, length_penalty="none")
        expect_fused_scores(case, language_model_case, method)


@torch.inference_mode()
def test_a_beam_with_a_language_model_finds_all_there_is(
    cases_of_options, language_model_case, small_search
) -> None:
    case, outputs = cases_of_options["decoder", "gru"], searching.all_outputs()
    together, log_prob = fused(case, language_model_case)
    method = small_search("beam", width=len(outputs), length_penalty="none")
    for row, found in enumerate(searching.hypotheses(together, method, searching.LONGEST)):
        scores = dict(zip(map(tuple, outputs), log_prob(row, outputs).tolist(), strict=True))
        assert {tuple(one.tokens): one.score for one in found} == pytest.approx(scores, abs=1e-9)


@pytest.mark.parametrize("name", OTHER_SEARCHES)
def test_scores_equal_a_teacher_forced_pass(option_case, small_search, name) -> None:
    method = small_search(name)
    penalty = average if hasattr(method, "penalty") else searching.no_penalty
    searching.scores_equal_teacher_forcing(option_case, method, penalty)


@torch.inference_mode()
def test_samples_are_as_frequent_as_they_are_probable(option_case, small_search) -> None:
    """Pearson's chi-square over all outputs, of 2,000 samples a source.

    Outputs that are expected fewer than 5 times are one cell. The bound is exceeded once in 10^9
    draws by right frequencies (Wilson and Hilferty's approximation at 6 standard deviations).
    """
    method = small_search("sampling", num_samples=2000, seed=1)
    outputs = searching.all_outputs()
    for row, found in enumerate(searching.hypotheses(option_case, method, searching.LONGEST)):
        expected = 2000 * option_case.log_prob(row, outputs).exp().cpu()
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
