"""Rules for outputs, each alone and then under every search."""

import inspect
import itertools
import math
import re

import pytest
import torch
import yaml

from tandem.config.launch import config_folder
from tandem.core.errors import InputError
from tandem.search import BeamSearch, DiverseBeamSearch, GreedySearch, Sampling
from tandem.search.processors import Banned, ForcedPrefix, MinLength, NoRepeat, output_rules

PAD, BOS, EOS, UNK, A, B, C = range(7)
NO_RULES = {"min_length": 0, "no_repeat_ngram": 0, "forced_prefix": [], "banned": []}


def forbidden(rule, *histories: list[int]) -> list[set[int]]:
    """What a rule takes away from rows of scores that it must leave as they are otherwise."""
    scores = torch.arange(7.0).repeat(len(histories), 1) - 3
    before = scores.clone()
    after = rule(scores, torch.tensor(histories).view(len(histories), -1).long())
    assert torch.equal(scores, before)
    gone = after == -torch.inf
    assert torch.equal(after[~gone], before[~gone])
    return [set(row.nonzero().flatten().tolist()) for row in gone]


def test_no_repeat_by_hand() -> None:
    two = NoRepeat(2)
    assert forbidden(two, []) == [set()]
    assert forbidden(two, [A]) == [set()]
    assert forbidden(two, [A, A], [A, B]) == [{A}, set()]
    assert forbidden(two, [A, B, A, C, A], [A, B, C, B, C]) == [{B, C}, {B}]
    assert forbidden(NoRepeat(1), [], []) == [set(), set()]
    assert forbidden(NoRepeat(1), [A, B], [C, C]) == [{A, B}, {C}]
    assert forbidden(NoRepeat(3), [A, B, C, A, B], [A, B, C, B, A]) == [{C}, set()]
    assert forbidden(NoRepeat(9), [A, A, A]) == [set()]


def test_banned_by_hand() -> None:
    rule = Banned([[C], [A, B], [A, C], [B, A, UNK]])
    assert forbidden(rule, []) == [{C}]
    assert forbidden(rule, [A], [B]) == [{B, C}, {C}]
    assert forbidden(rule, [B, A], [A, B]) == [{B, C, UNK}, {C}]


def test_min_length_by_hand() -> None:
    rule = MinLength(2)
    assert forbidden(rule, []) == forbidden(rule, [A]) == [{EOS}]
    assert forbidden(rule, [A, B]) == [set()]
    stuck = torch.full((2, 7), -torch.inf)
    stuck[:, EOS], stuck[1, A] = -1.0, -2.0
    after = rule(stuck, torch.zeros(2, 1).long())
    assert after[:, EOS].tolist() == [-1.0, -torch.inf]


def test_forced_prefix_by_hand() -> None:
    rule = ForcedPrefix([A, B])
    assert forbidden(rule, [], []) == [set(range(7)) - {A}] * 2
    assert forbidden(rule, [A]) == [set(range(7)) - {B}]
    assert forbidden(rule, [A, B]) == [set()]


RULES = [
    {"min_length": 2},
    {"no_repeat_ngram": 1},
    {"no_repeat_ngram": 2},
    {"banned": [[B], [A, A]]},
    {"forced_prefix": [C, A]},
    {"forced_prefix": [C], "min_length": 3, "no_repeat_ngram": 2, "banned": [[A, B, C]]},
]
LONGEST = 4


def keeps(rules: dict, output: tuple[int, ...]) -> bool:
    """The rules once more, on whole outputs."""
    inside = [symbol for symbol in output if symbol != EOS]
    n = rules.get("no_repeat_ngram", 0)
    ngrams = [tuple(inside[i : i + n]) for i in range(len(inside) - n + 1)] if n else []
    prefix = rules.get("forced_prefix", [])
    return (
        (output[-1] != EOS or len(inside) >= rules.get("min_length", 0))
        and len(ngrams) == len(set(ngrams))
        and list(output[: len(prefix)]) == prefix[: len(output)]
        and not any(
            tuple(inside[i : i + len(ban)]) == tuple(ban)
            for ban in rules.get("banned", [])
            for i in range(len(inside))
        )
    )


@pytest.fixture
def model(chain):
    """A chain in which everything but padding is possible everywhere."""
    generator = torch.Generator().manual_seed(1)
    made = chain([{}, {}])
    made.logits = torch.randn((2, 7, 7), generator=generator, dtype=torch.float64)
    made.logits[:, :, [PAD, BOS, UNK]] = -1e9
    return made


def log_prob(model, source: int, output: tuple[int, ...]) -> float:
    log_probs = model.logits[source].log_softmax(-1)
    return sum(log_probs[last, now].item() for last, now in itertools.pairwise((BOS, *output)))


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_a_wide_beam_finds_exactly_what_the_rules_leave(model, rules) -> None:
    ended = [
        (*start, EOS)
        for length in range(LONGEST)
        for start in itertools.product((A, B, C), repeat=length)
    ]
    outputs = [*ended, *itertools.product((A, B, C), repeat=LONGEST)]
    left = [output for output in outputs if keeps(rules, output)]
    assert 0 < len(left) < len(outputs)
    options = {"length_penalty": "none", "alpha": 1.0, "ctc_weight": None, "coverage_penalty": 0.0}
    for method in (
        BeamSearch(width=len(outputs), **options, **NO_RULES | rules),
        DiverseBeamSearch(
            width=len(outputs), groups=1, diversity=0.0, **options, **NO_RULES | rules
        ),
    ):
        for source, found in enumerate(model.search(method, max_length=LONGEST)):
            possible = {tuple(tokens): score for tokens, score in found if score > -1e8}
            expected = {output: log_prob(model, source, output) for output in left}
            assert possible == pytest.approx(expected)


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_narrow_searches_keep_the_rules_and_the_model_s_scores(model, rules) -> None:
    beams = {"length_penalty": "none", "alpha": 1.0, "coverage_penalty": 0.0}
    shape = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}
    rules = NO_RULES | rules
    for method in (
        GreedySearch(ctc_weight=None, **rules),
        BeamSearch(width=2, ctc_weight=None, **beams, **rules),
        DiverseBeamSearch(width=4, groups=2, diversity=0.7, ctc_weight=None, **beams, **rules),
        Sampling(num_samples=20, seed=0, ctc_weight=None, **shape, **rules),
    ):
        for source, found in enumerate(model.search(method, max_length=LONGEST)):
            assert found
            for tokens, score in found:
                assert keeps(rules, tuple(tokens))
                assert score == pytest.approx(log_prob(model, source, tuple(tokens)))


def test_greedy_takes_the_best_that_is_left(chain, tables) -> None:
    method = GreedySearch(ctc_weight=None, banned=[[A]], min_length=2)
    ((tokens, score),) = chain([tables["garden_path"]]).search(method)[0]
    assert tokens == [B, C, EOS]
    assert score == pytest.approx(math.log(0.4 * 0.1))


def test_an_output_ends_early_rather_than_break_another_rule(chain) -> None:
    table = {BOS: {A: 0.9, EOS: 0.1}, A: {A: 0.9, EOS: 0.1}}
    model = chain([table])
    model.logits[model.logits < -1e8] = -math.inf
    method = GreedySearch(ctc_weight=None, min_length=3, no_repeat_ngram=1)
    assert model.search(method)[0][0][0] == [A, EOS]


def test_no_rules_cost_nothing() -> None:
    assert output_rules(**NO_RULES) == ()


@pytest.mark.parametrize("search", [GreedySearch, BeamSearch])
def test_what_older_bundles_do_not_name_is_as_in_the_config(search) -> None:
    """Options that came later have defaults in Python as well; both must say the same."""
    option = {GreedySearch: "greedy", BeamSearch: "beam"}[search]
    config = yaml.safe_load((config_folder() / "search" / f"{option}.yaml").read_text())
    assert config.pop("_target_") == f"tandem.search.{search.__name__}"
    parameters = inspect.signature(search).parameters.values()
    defaults = {one.name: one.default for one in parameters if one.default is not one.empty}
    assert set(NO_RULES) <= defaults.keys()
    for name, default in defaults.items():
        assert config[name] == (list(default) if isinstance(default, tuple) else default)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            {"min_length": -1},
            "`search.min_length` must be a whole number of at least 0, but is -1.",
        ),
        (
            {"no_repeat_ngram": 1.5},
            "`search.no_repeat_ngram` must be a whole number of at least 0, but is 1.5.",
        ),
        (
            {"forced_prefix": [5, EOS]},
            "`search.forced_prefix` must be a list of ids of target symbols, without 0, 1, 2 "
            "(pad, bos and eos), but is [5, 2].",
        ),
        (
            {"forced_prefix": "the"},
            "`search.forced_prefix` must be a list of ids of target symbols, without 0, 1, 2 "
            "(pad, bos and eos), but is 'the'.",
        ),
        (
            {"banned": [[5], ["the"]]},
            "`search.banned[1]` must be a list of ids of target symbols, without 0, 1, 2 "
            "(pad, bos and eos), but is ['the'].",
        ),
        (
            {"banned": [[5], []]},
            "`search.banned` must be a list of lists of at least one id each, such as "
            "[[17],[5,6]], but is [[5], []].",
        ),
        (
            {"banned": None},
            "`search.banned` must be a list of lists of at least one id each, such as "
            "[[17],[5,6]], but is None.",
        ),
        (
            {"banned": [[5, 6]], "forced_prefix": [4, 5, 6]},
            "`search.forced_prefix` ([4, 5, 6]) must keep the other rules, but its symbol 3 is "
            "forbidden by search.no_repeat_ngram or search.banned; change one of them.",
        ),
        (
            {"no_repeat_ngram": 2, "forced_prefix": [4, 4, 4]},
            "`search.forced_prefix` ([4, 4, 4]) must keep the other rules, but its symbol 3 is "
            "forbidden by search.no_repeat_ngram or search.banned; change one of them.",
        ),
    ],
)
def test_bad_rules(rules, message) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        GreedySearch(ctc_weight=None, **NO_RULES | rules)


@pytest.mark.parametrize("rules", [{"forced_prefix": [4, 900]}, {"banned": [[4], [900, 5]]}])
def test_ids_that_the_vocabulary_does_not_have(chain, tables, rules) -> None:
    (name,) = rules
    message = f"`search.{name}` names the id 900, but the target vocabulary ends at 6; correct it."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        chain([tables["straight"]]).search(GreedySearch(ctc_weight=None, **rules))
