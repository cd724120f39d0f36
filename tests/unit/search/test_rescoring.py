"""Every search on a real model: scores are those of a teacher-forced pass, and rules hold."""

import pytest
import torch

from tandem.config.folders import config_folder
from tandem.core.types import SPECIAL_IDS
from tandem.inference.decoding import Decoding, generate, generate_together
from tandem.search.rules import Banned, ForcedPrefix, MinLength, NoRepeatNgram

SOURCE = torch.tensor([[4, 5, 3, 2], [2, 0, 0, 0], [5, 5, 2, 0]])
MASK = torch.tensor([[True] * 4, [True, False, False, False], [True, True, True, False]])
RULES = (
    ForcedPrefix(prefix=[5]),
    NoRepeatNgram(size=2),
    Banned(sequences=[[5, 4]]),
    MinLength(least=2),
)
SEARCHES = sorted(path.stem for path in (config_folder() / "search").glob("*.yaml"))
CHANGES = {
    "sampling": {"temperature": 1.3, "top_k": 3, "top_p": 0.9},
    "beam": {"length_penalty": "none"},
    "constrained": {"length_penalty": "none", "required": [[4]]},
    "diverse": {"length_penalty": "none"},
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
@pytest.mark.parametrize("rules", [(), RULES], ids=["free", "rules"])
@pytest.mark.parametrize("name", SEARCHES)
def test_scores_equal_a_teacher_forced_pass(
    small_model, small_search, name, rules, copying
) -> None:
    model = small_model(copying=copying, ctc_weight=0.0)
    decoding = Decoding(small_search(name, **CHANGES.get(name, {})), rules=rules)
    found = generate(model, decoding, model.encode(SOURCE, MASK), 6)
    check(found, [model], rules)


@torch.inference_mode()
@pytest.mark.parametrize("name", SEARCHES)
def test_an_ensemble_s_scores_equal_averaged_passes(small_model, small_search, name) -> None:
    models = [small_model(copying=copying, ctc_weight=0.0) for copying in (False, True)]
    memories = [model.encode(SOURCE, MASK) for model in models]
    decoding = Decoding(small_search(name, **CHANGES.get(name, {})), rules=RULES)
    found = generate_together(models, decoding, memories, 6, average="probability")
    check(found, models, RULES)


def check(found, models, rules) -> None:
    assert len(found) == len(SOURCE)
    for row, hypotheses in enumerate(found):
        assert hypotheses
        for hypothesis in hypotheses:
            tokens = hypothesis.tokens
            expected = log_prob(models, row, tokens)
            assert hypothesis.score == pytest.approx(expected, rel=0, abs=1e-9)
            if rules:
                assert tokens[0] == 5
                assert tokens[-1] != SPECIAL_IDS.eos or len(tokens) > 2
