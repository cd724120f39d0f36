"""A target fed at once, in chunks or symbol by symbol gives the same."""

from tandem.testing import parity


def test_a_state_says_all_that_was_fed(case) -> None:
    parity.calls_are_independent(case)
    parity.steps_equal_one_pass(case)
    parity.chunks_equal_one_pass(case)
    parity.a_symbol_changes_what_follows(case)
    parity.nothing_follows_from_the_future(case)
