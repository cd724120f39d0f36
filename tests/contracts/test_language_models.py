"""Each decoder alone keeps the contracts of decoding, and no source changes what it says."""

import torch

from tandem.testing import padding, parity, rows, searching


def test_no_source_changes_anything(language_model_case) -> None:
    case = language_model_case
    mask = torch.ones_like(case.mask)
    before = case.model(case.source, case.mask, case.target)
    assert torch.equal(before, case.model(case.changed, mask, case.target))


def test_passes_steps_and_chunks_are_the_same(language_model_case) -> None:
    parity.calls_are_independent(language_model_case)
    parity.steps_equal_one_pass(language_model_case)
    parity.chunks_equal_one_pass(language_model_case)
    parity.a_symbol_changes_what_follows(language_model_case)
    parity.nothing_follows_from_the_future(language_model_case)
    padding.is_invisible(language_model_case, 3)


def test_hypotheses_keep_their_states(language_model_case) -> None:
    rows.repeat_after_some_steps(language_model_case)
    rows.hypotheses_do_not_see_each_other(language_model_case)
    rows.reorder_at_every_step(language_model_case)
    rows.select_equals_never_having_had_the_others(language_model_case)


def test_a_beam_finds_all_there_is(language_model_case, small_search) -> None:
    outputs = searching.all_outputs()
    method = small_search("beam", width=len(outputs), length_penalty="none")
    searching.finds_all(language_model_case, method, outputs)
