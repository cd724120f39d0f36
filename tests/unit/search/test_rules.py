"""Rules for outputs, each alone and then under every search."""

import itertools
import math
import re

import pytest
import torch

from tandem.core.errors import InputError
from tandem.inference.decoding import Decoding, generate
from tandem.search import BeamSearch, DiverseBeamSearch, GreedySearch, Sampling
from tandem.search.paths import Paths
from tandem.search.rules import Banned, ForcedPrefix, MinLength, NoRepeatNgram, NoUnk, Rule

PAD, BOS, EOS, UNK, A, B, C = range(7)
MAKE = {
    "no_repeat_ngram": lambda size: NoRepeatNgram(size=size),
    "forced_prefix": lambda prefix: ForcedPrefix(prefix=prefix),
    "banned": lambda sequences: Banned(sequences=sequences),
    "no_unk": lambda _: NoUnk(),
    "min_length": lambda least: MinLength(least=least),  # asks last
}


def made(rules: dict) -> tuple:
    return tuple(make(rules[name]) for name, make in MAKE.items() if name in rules)


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
    two = NoRepeatNgram(size=2)
    assert forbidden(two, []) == [set()]
    assert forbidden(two, [A]) == [set()]
    assert forbidden(two, [A, A], [A, B]) == [{A}, set()]
    assert forbidden(two, [A, B, A, C, A], [A, B, C, B, C]) == [{B, C}, {B}]
    assert forbidden(NoRepeatNgram(size=1), [], []) == [set(), set()]
    assert forbidden(NoRepeatNgram(size=1), [A, B], [C, C]) == [{A, B}, {C}]
    assert forbidden(NoRepeatNgram(size=3), [A, B, C, A, B], [A, B, C, B, A]) == [{C}, set()]
    assert forbidden(NoRepeatNgram(size=9), [A, A, A]) == [set()]


def test_banned_by_hand() -> None:
    rule = Banned(sequences=[[C], [A, B], [A, C], [B, A, UNK]])
    assert forbidden(rule, []) == [{C}]
    assert forbidden(rule, [A], [B]) == [{B, C}, {C}]
    assert forbidden(rule, [B, A], [A, B]) == [{B, C, UNK}, {C}]


def test_min_length_by_hand() -> None:
    rule = MinLength(least=2)
    assert forbidden(rule, []) == forbidden(rule, [A]) == [{EOS}]
    assert forbidden(rule, [A, B]) == [set()]
    stuck = torch.full((2, 7), -torch.inf)
    stuck[:, EOS], stuck[1, A] = -1.0, -2.0
    after = rule(stuck, torch.zeros(2, 1).long())
    assert after[:, EOS].tolist() == [-1.0, -torch.inf]


def test_forced_prefix_by_hand() -> None:
    rule = ForcedPrefix(prefix=[A, B])
    assert forbidden(rule, [], []) == [set(range(7)) - {A}] * 2
    assert forbidden(rule, [A]) == [set(range(7)) - {B}]
    assert forbidden(rule, [A, B]) == [set()]


def test_no_unk_by_hand() -> None:
    assert forbidden(NoUnk(), []) == [{UNK}]
    assert forbidden(NoUnk(), [A, UNK], [B, B]) == [{UNK}, {UNK}]


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
    options = {"length_penalty": "none", "alpha": 1.0}
    for method in (
        BeamSearch(width=len(outputs), stop="pool", **options),
        DiverseBeamSearch(width=len(outputs), groups=1, diversity=0.0, **options),
    ):
        for source, found in enumerate(model.search(method, LONGEST, made(rules))):
            possible = {tuple(tokens): score for tokens, score in found if score > -1e8}
            expected = {output: log_prob(model, source, output) for output in left}
            assert possible == pytest.approx(expected)


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_narrow_searches_keep_the_rules_and_the_model_s_scores(model, rules) -> None:
    beams = {"length_penalty": "none", "alpha": 1.0}
    shape = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}
    for method in (
        GreedySearch(),
        BeamSearch(width=2, stop="pool", **beams),
        DiverseBeamSearch(width=4, groups=2, diversity=0.7, **beams),
        Sampling(num_samples=20, seed=0, **shape),
    ):
        for source, found in enumerate(model.search(method, LONGEST, made(rules))):
            assert found
            for tokens, score in found:
                assert keeps(rules, tuple(tokens))
                assert score == pytest.approx(log_prob(model, source, tuple(tokens)))


def test_greedy_takes_the_best_that_is_left(chain, tables) -> None:
    rules = made({"banned": [[A]], "min_length": 2})
    ((tokens, score),) = chain([tables["garden_path"]]).search(GreedySearch(), rules=rules)[0]
    assert tokens == [B, C, EOS]
    assert score == pytest.approx(math.log(0.4 * 0.1))


def test_an_output_ends_early_rather_than_break_another_rule(chain) -> None:
    table = {BOS: {A: 0.9, EOS: 0.1}, A: {A: 0.9, EOS: 0.1}}
    model = chain([table])
    model.logits[model.logits < -1e8] = -math.inf
    rules = made({"min_length": 3, "no_repeat_ngram": 1})
    assert model.search(GreedySearch(), rules=rules)[0][0][0] == [A, EOS]


def test_without_rules_no_history_is_gathered(chain, tables, monkeypatch) -> None:
    monkeypatch.setattr(Paths, "history", None)
    assert chain([tables["garden_path"]]).search(GreedySearch())[0][0][0] == [A, EOS]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "min_length",
            0,
            "`rule.min_length.least` must be a whole number of at least 1, but is 0.",
        ),
        (
            "no_repeat_ngram",
            1.5,
            "`rule.no_repeat_ngram.size` must be a whole number of at least 1, but is 1.5.",
        ),
        *(
            (
                "forced_prefix",
                prefix,
                "`rule.forced_prefix.prefix` must be a text or a list of ids of target symbols, "
                f"without 0, 1, 2 (pad, bos and eos), but is {prefix!r}.",
            )
            for prefix in ([5, EOS], [], "", ["the"], 5, [-1])
        ),
        (
            "banned",
            [[5], ["the"]],
            "`rule.banned.sequences[1]` must be a text or a list of ids of target symbols, without "
            "0, 1, 2 (pad, bos and eos), but is ['the'].",
        ),
        *(
            (
                "banned",
                sequences,
                "`rule.banned.sequences` must be a list of texts or of lists of ids, at least one, "
                f'such as ["a dog",[5,6]], but is {sequences!r}.',
            )
            for sequences in ([], None, "the")
        ),
    ],
)
def test_bad_options(name, value, message) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        MAKE[name](value)


def test_texts_are_bound_to_the_vocabulary(vocabulary) -> None:
    prefix, banned = MAKE["forced_prefix"]("a b"), MAKE["banned"]([[C], "b a"])
    decoding = Decoding(GreedySearch(), rules=(prefix, banned)).bind(vocabulary)
    assert decoding.rules[0].prefix == [A, B]
    assert decoding.rules[1].sequences == [[C], [B, A]]
    assert (prefix.prefix, banned.sequences) == ("a b", [[C], "b a"])


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            {"forced_prefix": [4, 900]},
            "`rule.forced_prefix.prefix` names the id 900, but the target vocabulary ends at 6; "
            "correct it.",
        ),
        (
            {"banned": [[4], [900, 5]]},
            "`rule.banned.sequences` names the id 900, but the target vocabulary ends at 6; "
            "correct it.",
        ),
        (
            {"forced_prefix": "a q"},
            "`rule.forced_prefix.prefix` holds 'a q', which cannot be written with the target "
            "vocabulary; correct it.",
        ),
        (
            {"banned": ["a", "q"]},
            "`rule.banned.sequences` holds 'q', which cannot be written with the target "
            "vocabulary; correct it.",
        ),
        (
            {"banned": ["b c"], "forced_prefix": [4, 5, 6]},
            "`rule.forced_prefix.prefix` ([4, 5, 6]) must keep the other rules, but its symbol 3 "
            "is forbidden by Banned; change one of them.",
        ),
        (
            {"no_unk": None, "forced_prefix": [A, UNK]},
            "`rule.forced_prefix.prefix` ([4, 3]) must keep the other rules, but its symbol 2 is "
            "forbidden by NoUnk; change one of them.",
        ),
        (
            {"no_repeat_ngram": 2, "forced_prefix": "a a a"},
            "`rule.forced_prefix.prefix` ([4, 4, 4]) must keep the other rules, but its symbol 3 "
            "is forbidden by NoRepeatNgram; change one of them.",
        ),
    ],
)
def test_what_the_vocabulary_or_another_rule_forbids(vocabulary, rules, message) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Decoding(GreedySearch(), rules=made(rules)).bind(vocabulary)


def test_the_minimum_length_asks_last_in_whatever_order_rules_are_chosen(small_model) -> None:
    """All symbols but ``eos`` are used up after two, so that the output may end."""
    model = small_model()
    source = torch.tensor([[4, 2]])
    memory = model.encode(source, source > 0)
    rules = (MinLength(least=5), NoRepeatNgram(size=1), Banned(sequences=[[UNK]]))
    for chosen in itertools.permutations(rules):
        decoding = Decoding(GreedySearch(), rules=(*chosen, OnlyLetters()))
        ((best,),) = generate(model, decoding, memory, 5)
        assert sorted(best.tokens) == [EOS, A, B]


class OnlyLetters(Rule):
    """A rule of one's own: no special symbols but ``eos``."""

    def __call__(self, scores: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        return scores.index_fill(1, torch.tensor([PAD, BOS, UNK]), -torch.inf)
