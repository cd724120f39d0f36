"""How wrong an output is, by hand."""

import re

import pytest

from tandem.core.errors import InputError
from tandem.inference.risk import Risk
from tandem.metrics import WER, CIDEr, ExactMatch


def test_risks_by_hand() -> None:
    hypotheses, references = ["a b", "a", ""], [["a b"], ["b", "a b"], ["a b"]]
    exact = Risk(ExactMatch(lowercase=False), key="metric@mbr")
    assert exact(hypotheses, references) == [0, 1, 1]
    wer = Risk(WER(normalization="none"), key="metric@mbr")
    assert wer(hypotheses, references) == [0, 0.5, 1]  # of two references the one in fewest errors
    assert wer(["a b c"], [["d"]]) == [3]


def test_a_metric_that_compares_no_single_texts() -> None:
    message = (
        "CIDEr cannot judge an output, as it does not compare single texts; choose another one, "
        "such as metric@risk.metric=chrf."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Risk(CIDEr(tokenize="words", lowercase=True), key="metric@risk.metric")
