"""A target fed at once, in chunks or symbol by symbol gives the same."""

from tandem.testing import parity


def test_calls_are_independent(case) -> None:
    parity.calls_are_independent(case)


def test_steps_equal_one_pass(case) -> None:
    parity.steps_equal_one_pass(case)


def test_chunks_and_their_weights_equal_one_pass(case) -> None:
    parity.chunks_equal_one_pass(case)


def test_a_symbol_changes_what_follows(case) -> None:
    parity.a_symbol_changes_what_follows(case)


def test_nothing_follows_from_the_future(case) -> None:
    parity.nothing_follows_from_the_future(case)
