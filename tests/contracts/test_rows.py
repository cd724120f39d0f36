"""The three verbs of search: repeat, reorder and select."""

from tandem.testing import rows


def test_repeat_after_some_steps(case) -> None:
    rows.repeat_after_some_steps(case)


def test_hypotheses_do_not_see_each_other(case) -> None:
    rows.hypotheses_do_not_see_each_other(case)


def test_reorder_carries_each_hypothesis_along(case) -> None:
    rows.reorder_carries_each_hypothesis_along(case)


def test_reorder_at_every_step(case) -> None:
    rows.reorder_at_every_step(case)


def test_select_equals_never_having_had_the_others(case) -> None:
    rows.select_equals_never_having_had_the_others(case)
