"""Every search on a real model: scores are those of a teacher-forced pass, and rules hold."""

import pytest
import torch

from tandem.core.types import SPECIAL_IDS
from tandem.inference.decoding import generate, generate_together
from tandem.search import (
    BeamSearch,
    ConstrainedBeamSearch,
    DiverseBeamSearch,
    GreedySearch,
    Sampling,
)

SOURCE = torch.tensor([[4, 5, 3, 2], [2, 0, 0, 0], [5, 5, 2, 0]])
MASK = torch.tensor([[True] * 4, [True, False, False, False], [True, True, True, False]])
NO_RULES = {"min_length": 0, "no_repeat_ngram": 0, "forced_prefix": [], "banned": []}
RULES = {"min_length": 2, "no_repeat_ngram": 2, "forced_prefix": [5], "banned": [[5, 4]]}
BEAM = {"length_penalty": "none", "alpha": 1.0, "ctc_weight": None, "coverage_penalty": 0.0}
PLAIN = {"temperature": 1.3, "top_k": 3, "top_p": 0.9, "min_p": 0.0, "ctc_weight": None}
METHODS = {
    "greedy": lambda rules: GreedySearch(ctc_weight=None, **rules),
    "beam": lambda rules: BeamSearch(width=3, **BEAM, **rules),
    "constrained": lambda rules: ConstrainedBeamSearch(width=2, required=[[4]], **BEAM, **rules),
    "diverse": lambda rules: DiverseBeamSearch(width=4, groups=2, diversity=0.5, **BEAM, **rules),
    "sampling": lambda rules: Sampling(num_samples=3, seed=0, **PLAIN, **rules),
}


def log_prob(models, row: int, tokens: list[int]) -> float:
    """In teacher-forced passes whose probabilities are averaged."""
    target_in = torch.tensor([[SPECIAL_IDS.bos, *tokens[:-1]]])
    probs = [
        model(SOURCE[row : row + 1], MASK[row : row + 1], target_in).softmax(-1)[0]
        for model in models
    ]
    log_probs = torch.stack(probs).mean(0).log()
    return sum(log_probs[place, token].item() for place, token in enumerate(tokens))


@torch.inference_mode()
@pytest.mark.parametrize("copying", [False, True], ids=["generating", "copying"])
@pytest.mark.parametrize("rules", [NO_RULES, RULES], ids=["free", "rules"])
@pytest.mark.parametrize("name", METHODS)
def test_scores_equal_a_teacher_forced_pass(small_model, name, rules, copying) -> None:
    model = small_model(copying=copying, ctc_weight=0.0)
    found = generate(model, METHODS[name](rules), model.encode(SOURCE, MASK), 6)
    check(found, [model], rules)


@torch.inference_mode()
@pytest.mark.parametrize("name", METHODS)
def test_an_ensemble_s_scores_equal_averaged_passes(small_model, name) -> None:
    models = [small_model(copying=copying, ctc_weight=0.0) for copying in (False, True)]
    memories = [model.encode(SOURCE, MASK) for model in models]
    method = METHODS[name](RULES)
    found = generate_together(models, method, memories, 6, average="probability")
    check(found, models, RULES)


def check(found, models, rules) -> None:
    assert len(found) == len(SOURCE)
    for row, hypotheses in enumerate(found):
        assert hypotheses
        for hypothesis in hypotheses:
            tokens = hypothesis.tokens
            expected = log_prob(models, row, tokens)
            assert hypothesis.score == pytest.approx(expected, rel=0, abs=1e-9)
            assert tokens[: len(rules["forced_prefix"])] == rules["forced_prefix"]
            assert tokens[-1] != SPECIAL_IDS.eos or len(tokens) > rules["min_length"]
