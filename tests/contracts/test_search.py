"""Search under every combination: nothing is missed, and every score can be computed again.

What a search does beyond moving rows is the same for all models: the other searches than beam are
tried on every option, but not on every combination.
"""

from collections import Counter

import pytest
import torch

from tandem.config.folders import config_folder
from tandem.testing import searching

REQUIRED = 4
OTHER_SEARCHES = sorted(
    {path.stem for path in (config_folder() / "search").glob("*.yaml")} - {"beam"}
)


def average(length: int) -> float:
    """The length penalty of most searches as they stand in ``conf/``."""
    return length


def test_a_beam_as_wide_as_the_space_equals_exhaustive_search(case, small_search) -> None:
    outputs = searching.all_outputs()
    method = small_search("beam", width=len(outputs), length_penalty="gnmt", alpha=0.8)
    searching.finds_all(case, method, outputs, method.penalty)


def test_what_must_contain_a_symbol_is_the_part_of_it_that_does(option_case, small_search) -> None:
    outputs = [output for output in searching.all_outputs() if REQUIRED in output]
    method = small_search("constrained", width=len(outputs), required=[[REQUIRED]])
    searching.finds_all(option_case, method, outputs, average)


def test_scores_of_a_beam_equal_a_teacher_forced_pass(case, small_search) -> None:
    searching.scores_equal_teacher_forcing(case, small_search("beam"), average)


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
