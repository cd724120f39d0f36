"""Checks of what finds outputs: searches, scorers and rules."""

import torch

from tandem.core.types import SPECIAL_IDS
from tandem.search import BeamSearch, Search
from tandem.search.rules import ForcedPrefix, NoRepeatNgram, Rule
from tandem.search.scorers import Scorer
from tandem.testing import padding, parity, partners, rows
from tandem.testing.case import Case, make_case
from tandem.testing.compare import expect
from tandem.testing.searching import (
    LONGEST,
    Penalty,
    all_outputs,
    finds_all,
    hypotheses,
    no_penalty,
    scores_equal_teacher_forcing,
)
from tandem.testing.sources import VOCABULARY


def check_search(
    search: Search, *, penalty: Penalty = no_penalty, exhaustive: bool = False
) -> None:
    """Check a search over a small model with 6 target symbols.

    :param search: bound, if it holds texts.
    :param penalty: what it divides the log-probability of so many symbols by.
    :param exhaustive: whether it is so wide (40) that it must find every output of 3 symbols.
    :raises AssertionError: with the first promise that it breaks.
    """
    case = make_case(partners.small_model())
    _expect_shape(case, search)
    rules = (ForcedPrefix(prefix=[4]), NoRepeatNgram(size=1))
    scores_equal_teacher_forcing(case, search, penalty)
    _expect_rules_kept(case, search, rules)
    for normalized in (False, True):
        scores_equal_teacher_forcing(case, search, penalty, rules=rules, normalized=normalized)
    scores_equal_teacher_forcing(case, search, penalty, precision=torch.bfloat16)
    if exhaustive:
        finds_all(case, search, all_outputs(), penalty)


@torch.inference_mode()
def _expect_shape(case: Case, search: Search) -> None:
    """Hypotheses are as the base class says, the same at each call."""
    width = getattr(search, "width", 0)
    expect(
        isinstance(width, int) and width >= 1,
        f"{type(search).__name__}.width must be the number of hypotheses of a source, but is "
        f"{width!r}; set it.",
    )
    for max_length in (1, LONGEST, 8):
        found = hypotheses(case, search, max_length)
        expect(
            len(found) == len(case.source) and all(1 <= len(one) <= width for one in found),
            f"A search must return from 1 to {width} hypotheses (its width) for each of "
            f"{len(case.source)} sources, but returned {[len(one) for one in found]}.",
        )
        for one_source in found:
            scores = [hypothesis.score for hypothesis in one_source]
            expect(
                scores == sorted(scores, reverse=True),
                "A search must give the best hypothesis first, but the scores are out of order.",
            )
            for tokens in (hypothesis.tokens for hypothesis in one_source):
                expect(
                    1 <= len(tokens) <= max_length and SPECIAL_IDS.eos not in tokens[:-1],
                    f"A hypothesis must have from 1 to max_length ({max_length}) symbols and end "
                    f"at its first eos ({SPECIAL_IDS.eos}), but is {tokens}.",
                )
    expect(
        hypotheses(case, search, 8) == found,
        "A search must find the same in the same batch, but a second call found something else; "
        "keep nothing on it between calls, and draw random numbers from a seed.",
    )


@torch.inference_mode()
def _expect_rules_kept(case: Case, search: Search, rules: tuple[Rule, ...]) -> None:
    """Every output begins with 4, and has no symbol twice."""
    for one_source in hypotheses(case, search, 8, rules=rules):
        for tokens in (hypothesis.tokens for hypothesis in one_source):
            expect(
                tokens[0] == 4 and len(set(tokens)) == len(tokens),
                "A search must keep the rules, but under forced_prefix of [4] and no_repeat_ngram "
                f"of size 1 it wrote {tokens}; call step.allowed with what each row has written.",
            )


def check_scorer(scorer: Scorer) -> None:
    """Check a scorer beside models with 6 target symbols, attention weights and a CTC layer.

    :raises AssertionError: with the first promise that it breaks.
    """
    for encoder, decoder in (
        (partners.gru_encoder, partners.recurrent_decoder()),
        (partners.transformer_encoder, partners.transformer_decoder()),
    ):
        model = partners.small_model(encoder=encoder, decoder=decoder, ctc_weight=0.5)
        case = make_case(model, scorers=(scorer,))
        scorer.check(model)
        _expect_changed_scores(case, scorer.beside(model))
        parity.calls_are_independent(case)
        padding.is_invisible(case, 0)
        padding.is_invisible(case, 3)
        rows.repeat_after_some_steps(case)
        rows.hypotheses_do_not_see_each_other(case)
        rows.reorder_carries_each_hypothesis_along(case)
        rows.reorder_at_every_step(case)
        rows.select_equals_never_having_had_the_others(case)
        beam = BeamSearch(width=3, length_penalty="none", alpha=0.0, stop="pool")
        scores_equal_teacher_forcing(case, beam)


@torch.inference_mode()
def _expect_changed_scores(case: Case, scorer: Scorer) -> None:
    """New scores of the same shape, at least float32, for every number of hypotheses."""
    memory = case.model.encode(case.source, case.mask)
    weights = torch.full((6, memory.mask.size(1)), 0.1, dtype=torch.float64)
    log_probs = torch.randn(6, VOCABULARY, dtype=torch.float32).log_softmax(-1)
    before = log_probs.clone()
    state = scorer.start(case.model, memory).repeat(2)
    changed, _ = scorer(torch.arange(6) % VOCABULARY, log_probs, lambda: weights, state)
    expect(
        torch.equal(before, log_probs),
        "A scorer must leave the log-probabilities that it is given, but wrote into them; return "
        "new ones.",
    )
    expect(
        changed.shape == log_probs.shape and changed.dtype in (torch.float32, torch.float64),
        f"A scorer must return log-probabilities (N, V) = {tuple(log_probs.shape)} in float32 or "
        f"wider, but returned {tuple(changed.shape)} in {changed.dtype}.",
    )
    expect(
        not changed.isnan().any() and not (changed == torch.inf).any(),
        "A scorer's scores must be numbers or -inf, but some are nan or inf.",
    )


@torch.inference_mode()
def check_rule(rule: Rule, *, vocabulary_size: int = VOCABULARY) -> None:
    """Check a rule on scores of random outputs of up to 7 symbols.

    :param rule: bound, if it holds texts.
    :param vocabulary_size: above every id that it names.
    :raises AssertionError: with the first promise that it breaks.
    """
    generator = torch.Generator().manual_seed(0)
    for length, dtype in zip(range(8), [torch.float32, torch.bfloat16] * 4, strict=True):
        scores = torch.randn(16, vocabulary_size, generator=generator).to(dtype)
        history = torch.randint(SPECIAL_IDS.unk, vocabulary_size, (16, length), generator=generator)
        before = scores.clone()
        after = rule(scores, history)
        expect(
            torch.equal(before, scores),
            "A rule must leave the scores that it is given, but wrote into them; return new ones.",
        )
        expect(
            after.shape == scores.shape and after.dtype == scores.dtype,
            f"A rule must return scores like those that it got, {tuple(scores.shape)} in {dtype}, "
            f"but returned {tuple(after.shape)} in {after.dtype}.",
        )
        forbidden = after == -torch.inf
        expect(
            torch.equal(after[~forbidden], scores[~forbidden]),
            "A rule must only forbid, by -inf, but it changed the scores of symbols that may come; "
            "what ranks symbols is a scorer.",
        )
        expect(
            not forbidden.all(1).any(),
            "A rule must leave a symbol that may come next, but forbade all of a row, eos "
            f"({SPECIAL_IDS.eos}) included.",
        )
        alone = [rule(scores[row : row + 1], history[row : row + 1]) for row in range(16)]
        expect(
            torch.equal(torch.cat(alone[::-1]).flip(0), after),
            "A rule must look at each row by itself, and keep nothing between calls, but a row "
            "alone has other scores.",
        )
