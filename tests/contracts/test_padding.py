"""What stands behind a source's end, and how much of it, changes nothing."""

from tandem.testing import padding


def test_padding_is_invisible(case) -> None:
    for extra in (0, 3):  # other content, and more of it
        padding.is_invisible(case, extra)
    padding.gets_no_weight(case)
    padding.the_first_position_matters(case)
