"""Several steps as one: chains together are the chain of their averaged probabilities."""

import math

import pytest
import torch

from tandem.core.errors import InputError
from tandem.search import BeamSearch, GreedySearch, Step
from tandem.search.ensemble import checked_average, start_together

PAD, BOS, EOS, UNK, A, B, C = range(7)
OPTIONS = {"length_penalty": "none", "alpha": 1.0, "stop": "pool"}


@pytest.fixture
def members(chain):
    """Three chains with two sources each, the last one already in log-probabilities."""
    generator = torch.Generator().manual_seed(2)
    made = [chain([{}, {}]) for _ in range(3)]
    for one in made:
        one.logits = 2 * torch.randn((2, 7, 7), generator=generator, dtype=torch.float64)
    made[2].logits = made[2].logits.log_softmax(-1)
    made[2].normalized = True
    return made


def together(members, method, average: str, max_length: int = 4):
    started = [(Step(one.step, normalized=one.normalized), one.start()) for one in members]
    step, state = start_together(started, average=average)
    found = method(step, state, first=torch.full((2,), BOS), max_length=max_length)
    return [[(one.tokens, one.score) for one in hypotheses] for hypotheses in found]


@pytest.mark.parametrize("average", ["probability", "log"])
@pytest.mark.parametrize(
    "method", [GreedySearch(), BeamSearch(width=3, **OPTIONS)], ids=["one", "beam"]
)
def test_equals_one_chain_with_averaged_tables(chain, members, average, method) -> None:
    log_probs = torch.stack([one.logits.log_softmax(-1) for one in members])
    mean = log_probs.exp().mean(0).log() if average == "probability" else log_probs.mean(0)
    single = chain([{}, {}], normalized=True)
    single.logits = mean
    expected = single.search(method, max_length=4)
    for found, wanted in zip(together(members, method, average), expected, strict=True):
        assert [tokens for tokens, _ in found] == [tokens for tokens, _ in wanted]
        assert [score for _, score in found] == pytest.approx([score for _, score in wanted])


def test_by_hand(chain) -> None:
    """One is sure of A, which the other excludes nearly: 0.45 beats 0.4, but as a product loses."""
    sure = chain([{BOS: {A: 0.89, B: 0.11}, A: {EOS: 1.0}, B: {EOS: 1.0}}] * 2)
    other = chain([{BOS: {A: 0.01, B: 0.69, C: 0.3}, A: {EOS: 1.0}, B: {EOS: 1.0}}] * 2)
    for average, symbol, score in (
        ("probability", A, math.log(0.45)),
        ("log", B, math.log(0.11 * 0.69) / 2),
    ):
        ((tokens, found),) = together([sure, other], GreedySearch(), average)[0]
        assert (tokens, found) == ([symbol, EOS], pytest.approx(score))


def test_one_member_changes_nothing(members) -> None:
    method = BeamSearch(width=3, **OPTIONS)
    alone = members[0].search(method, max_length=4)
    for average in ("probability", "log"):
        for found, wanted in zip(together(members[:1], method, average), alone, strict=True):
            assert [tokens for tokens, _ in found] == [tokens for tokens, _ in wanted]


def test_impossible_for_one(chain) -> None:
    members = [chain([{BOS: {A: 0.5, EOS: 0.5}}] * 2, normalized=True) for _ in range(2)]
    members[0].logits[:, BOS, EOS] = -math.inf
    method = GreedySearch()
    for average, score in (("probability", math.log(0.5)), ("log", math.log(0.5))):
        ((tokens, found),) = together(members, method, average, max_length=1)[0]
        assert (tokens, found) == ([A], pytest.approx(score))


def test_bad_average() -> None:
    message = r"^`average` must be one of probability, log, but is 'mean'\.$"
    with pytest.raises(InputError, match=message):
        checked_average("mean")
