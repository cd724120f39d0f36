"""What stands behind a source's end, and how much of it, changes nothing."""

import pytest

from tandem.testing import padding


@pytest.mark.parametrize("extra", [0, 3], ids=["content", "amount"])
def test_padding_is_invisible(case, extra) -> None:
    padding.is_invisible(case, extra)


def test_no_weight_falls_on_padding(case) -> None:
    padding.gets_no_weight(case)


def test_what_a_source_begins_with_matters(case) -> None:
    padding.the_first_position_matters(case)
