"""How much of the examples an epoch has."""

import re

import pytest

from tandem.core.errors import InputError
from tandem.data.curriculum import Competence


def test_shares_by_hand() -> None:
    one = Competence(start=0.1, epochs=4)
    shares = [one.share(epoch) for epoch in range(6)]
    assert shares == pytest.approx([0.1, 0.2575**0.5, 0.505**0.5, 0.7525**0.5, 1.0, 1.0])


@pytest.mark.parametrize(
    ("start", "epochs", "message"),
    [
        (0.0, 2, "`curriculum.start` must be above 0 and at most 1, but is 0.0."),
        (1.5, 2, "`curriculum.start` must be above 0 and at most 1, but is 1.5."),
        (0.5, 0, "`curriculum.epochs` must be at least 1, but is 0."),
    ],
)
def test_bad_options(start: float, epochs: int, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Competence(start=start, epochs=epochs)
