"""Search over a model: nothing is missed, and every score can be computed again."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from tandem.core.state import State
from tandem.core.types import FIRST_OUTPUT, SPECIAL_IDS, Hypothesis
from tandem.search import Search, Step
from tandem.search.rules import Rule
from tandem.testing.case import Case
from tandem.testing.compare import expect
from tandem.testing.sources import VOCABULARY

LONGEST = 3
"""Symbols of the longest of :func:`all_outputs`."""

Penalty = Callable[[int], float]
"""What the log-probability of so many symbols is divided by."""


def no_penalty(length: int) -> float:
    """Log-probabilities as they are."""
    return 1.0


def all_outputs() -> list[list[int]]:
    """Whatever can be written in up to ``LONGEST`` symbols, ``eos`` included."""
    eos = SPECIAL_IDS.eos
    others = range(eos + 1, VOCABULARY)
    ended = [
        [*start, eos]
        for length in range(LONGEST - 1)
        for start in itertools.product(others, repeat=length)
    ]
    cut = [
        [*start, last]
        for start in itertools.product(others, repeat=LONGEST - 1)
        for last in range(FIRST_OUTPUT, VOCABULARY)
    ]
    return ended + cut


def hypotheses(
    case: Case,
    search: Search,
    max_length: int,
    *,
    rules: tuple[Rule, ...] = (),
    precision: torch.dtype = torch.float64,
    normalized: bool = False,
) -> list[list[Hypothesis]]:
    """Search, and see that every row of the state stays with its source.

    :param precision: what the model's scores are rounded to.
    :param normalized: whether the search is given log-probabilities.
    """
    step = case.decoding.step(case.model)
    sources = torch.arange(len(case.source), device=case.device)

    def scores(tokens: Tensor, state: State) -> tuple[Tensor, State]:
        own_sources, inner = state.carry
        expected = state.fixed.repeat_interleave(len(tokens) // len(state.fixed))
        expect(
            len(own_sources) == len(tokens) and torch.equal(own_sources, expected),
            "A search must move rows of a state only among the hypotheses of one source and leave "
            "as many as it has symbols, but it moved one to another source; parents count from the "
            "first row of their own source.",
        )
        said, inner = step.scores(tokens, inner)
        said = step.log_probs(said) if normalized else said
        return said.to(precision), State(state.fixed, carry=(own_sources, inner))

    return search(
        Step(scores, normalized or step.normalized, rules),
        State(fixed=sources, carry=(sources, case.start())),
        first=torch.full_like(sources, SPECIAL_IDS.bos),
        max_length=max_length,
    )


@torch.inference_mode()
def finds_all(
    case: Case, search: Search, outputs: list[list[int]], penalty: Penalty = no_penalty
) -> None:
    """A search that is wide enough finds all outputs of up to ``LONGEST`` symbols, in order.

    :param search: of a width of at least the number of outputs.
    """
    for row, one_source in enumerate(hypotheses(case, search, LONGEST)):
        log_probs = case.log_prob(row, outputs).tolist()
        expected = {
            tuple(output): log_prob / penalty(len(output))
            for output, log_prob in zip(outputs, log_probs, strict=True)
        }
        actual = {tuple(hypothesis.tokens): hypothesis.score for hypothesis in one_source}
        expect(
            actual.keys() == expected.keys(),
            f"A search as wide as the space must find all {len(expected)} outputs, but it finds "
            f"{len(actual)}, of which {len(actual.keys() & expected.keys())} are among them.",
        )
        for tokens, score in expected.items():
            _expect_score(actual[tokens], score, tokens)
        scores = [hypothesis.score for hypothesis in one_source]
        expect(
            scores == sorted(scores, reverse=True),
            "A search must give the best hypothesis first, but the scores are out of order.",
        )


@torch.inference_mode()
def scores_equal_teacher_forcing(
    case: Case,
    search: Search,
    penalty: Penalty = no_penalty,
    *,
    rules: tuple[Rule, ...] = (),
    precision: torch.dtype = torch.float64,
    normalized: bool = False,
) -> None:
    """Each hypothesis's score is its log-probability in one pass, divided by its penalty.

    :param precision: see :func:`hypotheses`, as for ``normalized``.
    """
    found = hypotheses(case, search, 8, rules=rules, precision=precision, normalized=normalized)
    atol = 1e-9 if precision == torch.float64 else 1e-4
    for row, one_source in enumerate(found):
        outputs = [hypothesis.tokens for hypothesis in one_source]
        log_probs = case.log_prob(row, outputs, precision).tolist()
        for hypothesis, log_prob in zip(one_source, log_probs, strict=True):
            expected = log_prob / penalty(len(hypothesis.tokens))
            _expect_score(hypothesis.score, expected, hypothesis.tokens, atol)
            expect(
                min(hypothesis.tokens) >= FIRST_OUTPUT,
                "A search must write no symbol whose score is -inf, such as pad and bos, but wrote "
                f"{hypothesis.tokens}; leave out what scores -inf.",
            )


def _expect_score(
    score: float, expected: float, tokens: list[int] | tuple[int, ...], atol: float = 1e-9
) -> None:
    expect(
        abs(score - expected) <= atol,
        f"The score of a hypothesis must be the log-probability that the model gives it, divided "
        f"by its length penalty, but {list(tokens)} has {score!r} instead of {expected!r}; reorder "
        "states with the prefixes, add log-probabilities up in float32 or wider, and subtract the "
        "normalizer of all symbols.",
    )
