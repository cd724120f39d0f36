"""Constrained beam search against all outputs, one by one."""

import itertools

import pytest
import torch

from tandem.core.errors import InputError
from tandem.search import BeamSearch, ConstrainedBeamSearch
from tandem.search.rules import Banned, ForcedPrefix, MinLength

PAD, BOS, EOS, UNK, A, B, C = range(7)
LONGEST = 4


def constrained(width, required, length_penalty="none", alpha=1.0):
    return ConstrainedBeamSearch(
        width=width, required=required, length_penalty=length_penalty, alpha=alpha
    )


@pytest.fixture
def model(chain):
    """Two sources in which everything but another ``bos`` is possible everywhere."""
    generator = torch.Generator().manual_seed(5)
    made = chain([{}, {}])
    made.logits = 1.5 * torch.randn(made.logits.shape, generator=generator).double()
    made.logits[:, :, BOS] = -torch.inf
    return made


def holds(output: tuple[int, ...], required: list[list[int]]) -> bool:
    """Whether the sequences have places in an output, no two of them at one symbol."""
    if not required:
        return True
    ids, *others = required
    places = [
        place
        for place in range(len(output) - len(ids) + 1)
        if output[place : place + len(ids)] == tuple(ids)
    ]
    taken = [(*output[:place], *[PAD] * len(ids), *output[place + len(ids) :]) for place in places]
    return any(holds(rest, others) for rest in taken)


def all_outputs() -> list[tuple[int, ...]]:
    """Whatever can be written in up to ``LONGEST`` symbols, ``eos`` included."""
    others = (PAD, UNK, A, B, C)
    ended = [
        (*start, EOS)
        for length in range(LONGEST)
        for start in itertools.product(others, repeat=length)
    ]
    return ended + list(itertools.product(others, repeat=LONGEST))


@pytest.mark.parametrize("penalty", ["none", "average"])
@pytest.mark.parametrize(
    "required",
    [[[A]], [[A, B]], [[A], [C]], [[A], [A]], [[A, B], [B]], [[B, C], [C, A]], [[A], [A, B]]],
    ids=str,
)
def test_a_wide_one_finds_all_outputs_that_hold_the_sequences(model, required, penalty) -> None:
    outputs = [output for output in all_outputs() if holds(output, required)]
    found = model.search(constrained(1000, required, penalty), LONGEST)
    for source, hypotheses in enumerate(found):
        table = model.logits[source].log_softmax(-1)
        expected = {
            output: sum(
                table[last, symbol].item() for last, symbol in itertools.pairwise((BOS, *output))
            )
            / (len(output) if penalty == "average" else 1)
            for output in outputs
        }
        actual = {tuple(tokens): score for tokens, score in hypotheses}
        assert len(actual) == len(hypotheses)
        assert actual == pytest.approx(expected, rel=0, abs=1e-9)


def test_narrow_ones_hold_the_sequences_with_true_scores(model) -> None:
    required = [[C, A], [B]]
    for source, hypotheses in enumerate(model.search(constrained(2, required), 8)):
        table = model.logits[source].log_softmax(-1)
        assert len(hypotheses) == 2
        for tokens, score in hypotheses:
            assert holds(tuple(tokens), required)
            pairs = itertools.pairwise([BOS, *tokens])
            assert score == pytest.approx(sum(table[pair].item() for pair in pairs))


def test_what_beam_search_writes_anyway_is_found_again(chain, tables) -> None:
    made = chain([tables["garden_path"]])
    plain = made.search(BeamSearch(width=3, length_penalty="none", alpha=1.0, stop="pool"))
    assert plain[0][0][0] == [B, EOS]
    assert made.search(constrained(3, [[B]]))[0][0] == plain[0][0]


def test_sources_leave_the_batch_one_by_one(chain, tables) -> None:
    made = chain([tables["straight"], tables["garden_path"]])
    alone = [
        chain([table]).search(constrained(1, [[C]]))[0]
        for table in (tables["straight"], tables["garden_path"])
    ]
    assert made.search(constrained(1, [[C]])) == alone
    assert made.rows_seen[:2] == [2, 4]
    assert made.rows_seen[-1] == 2


def test_rules_hold_too(model) -> None:
    rules = (ForcedPrefix(prefix=[C]), Banned(sequences=[[A, B]]), MinLength(least=3))
    found = model.search(constrained(3, [[A]]), 6, rules)
    for hypotheses in found:
        for tokens, _ in hypotheses:
            assert tokens[0] == C
            assert (A, B) not in itertools.pairwise(tokens)
            assert A in tokens
            assert tokens.index(EOS) >= 3 if EOS in tokens else len(tokens) == 6


def test_what_has_no_room_has_no_output(model) -> None:
    found = model.search(constrained(2, [[A, B, C], [A, B]]), LONGEST)
    assert found == [[([EOS], -torch.inf)], [([EOS], -torch.inf)]]


@pytest.mark.parametrize(
    ("required", "message"),
    [
        ([], "`search.required` must be a list of texts or of lists of ids, at least one"),
        ([[]], r"`search.required\[0\]` must be a text or a list of ids"),
        ([[EOS]], r"`search.required\[0\]` must be a text or a list of ids"),
        ("walk", "`search.required` must be a list of texts or of lists of ids"),
    ],
)
def test_what_cannot_be_required(required, message) -> None:
    with pytest.raises(InputError, match=message):
        constrained(2, required)


def test_texts_are_required_as_ids(model, vocabulary) -> None:
    texts = constrained(2, ["a b", [C]])
    assert texts.bind(vocabulary).required == [[A, B], [C]]
    assert texts.required == ["a b", [C]]
    found = model.search(texts.bind(vocabulary), 8)
    assert found == model.search(constrained(2, [[A, B], [C]]), 8)


def test_what_the_vocabulary_does_not_have_is_named(vocabulary) -> None:
    with pytest.raises(InputError, match="names the id 9, but the target vocabulary ends at 6"):
        constrained(2, [[9]]).bind(vocabulary)
    with pytest.raises(InputError, match=r"`search\.required` holds 'a q', which cannot"):
        constrained(2, ["a q"]).bind(vocabulary)


def test_too_much_to_require(vocabulary) -> None:
    with pytest.raises(InputError, match=r"has 2,000 symbols, but at most 1,000 can be required"):
        constrained(2, [[A] * 2000]).bind(vocabulary)
    with pytest.raises(InputError, match=r"must be at most 100,000 texts or lists of ids, but has"):
        constrained(2, [[A]] * 200_000)
