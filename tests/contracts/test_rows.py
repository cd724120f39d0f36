"""The three verbs of search: repeat, reorder and select."""

from tandem.testing import rows


def test_hypotheses_go_on_as_if_they_were_alone(case) -> None:
    rows.repeat_after_some_steps(case)
    rows.hypotheses_do_not_see_each_other(case)
    rows.reorder_carries_each_hypothesis_along(case)
    rows.reorder_at_every_step(case)
    rows.select_equals_never_having_had_the_others(case)
