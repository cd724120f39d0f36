"""CIDEr-D against the numbers of pycocoevalcap 1.2 (its class ``Cider``, which is CIDEr-D)."""

import math
import random
import re

import pytest

from tandem.core.errors import InputError
from tandem.metrics import CIDEr

HYPOTHESES = [
    "a dog runs on the grass",
    "two men play football",
    "a cat",
    "a red bus stops at the corner",
    "the the the the the",
]
REFERENCES = [
    [
        "a brown dog runs across the grass",
        "a dog is running on the lawn",
        "the dog runs on the grass",
    ],
    ["two men play football", "two men are playing soccer in a park"],
    ["a black cat sleeps on a chair"],
    [
        "a red bus turns the corner of a street",
        "a bus stops at the corner",
        "a red double decker bus stops",
    ],
    ["the cat on the mat"],
]
PUBLISHED = [
    4.093393072846293,
    5.5962135144699126,
    0.5841551753937168,
    4.067377489093616,
    0.4695278258446156,
]


def cider(tokenize: str = "words", lowercase: bool = True) -> CIDEr:
    return CIDEr(tokenize=tokenize, lowercase=lowercase)


def test_numbers_of_the_usual_tool() -> None:
    expected = 100 * sum(PUBLISHED) / 5
    assert cider()(HYPOTHESES, REFERENCES)["cider"] == pytest.approx(expected, rel=1e-12)
    assert cider("none")(HYPOTHESES, REFERENCES)["cider"] == pytest.approx(expected, rel=1e-12)


def test_numbers_on_200_rows_of_random_letters() -> None:
    generator = random.Random(0)

    def text() -> str:
        return " ".join(generator.choices("abcdefgh", k=generator.randint(1, 14)))

    hypotheses = [text() for _ in range(200)]
    references = [[text() for _ in range(generator.randint(1, 5))] for _ in range(200)]
    score = cider("none")(hypotheses, references)["cider"]
    assert score == pytest.approx(88.48517859094733, rel=1e-12)


def test_by_hand() -> None:
    """Two rows; every n-gram of a row is in its own reference only, so all weigh log 2.

    Row 1, of 5 words against 4, has of 5 words, 4 pairs, 3 triples and 2 fours 4, 3, 2 and 1 in
    common with 4, 3, 2 and 1, and a length that differs by one. Row 2 has nothing in common.
    """
    cosines = [matches / math.sqrt(matches * (matches + 1)) for matches in (4, 3, 2, 1)]
    expected = 1000 * math.exp(-1 / 72) * sum(cosines) / 4 / 2
    score = cider()(["a b c d e", "z"], [["a b c d"], ["p q r s"]])
    assert score == {"cider": pytest.approx(expected)}


def test_best_score_is_1000() -> None:
    texts = ["a b c d", "e f g h i"]
    assert cider()(texts, [[text] for text in texts]) == {"cider": pytest.approx(1000)}


def test_words_that_every_row_has_count_nothing() -> None:
    assert cider()(["a", "a"], [["a"], ["a b"]]) == {"cider": 0.0}
    assert cider()(["", "a"], [["a"], ["b"]]) == {"cider": 0.0}
    assert cider()(["a b c d"], [["a b c d"]]) == {"cider": 0.0}  # one row alone


def test_tokenisation() -> None:
    def score(hypothesis: str, metric: CIDEr) -> float:
        return metric([hypothesis, "x"], [["a man 's t-shirt and hat"], ["y"]])["cider"]

    assert score("A man's T-shirt, and HAT!", cider()) == pytest.approx(500)  # of two rows
    assert score("A man's T-shirt, and HAT!", cider(lowercase=False)) < 400
    assert score("a man's t-shirt and hat.", cider("none")) < 400


@pytest.mark.parametrize("text", ["में हिन्दी बोलता हूँ", "我爱你们", "мама мыла раму дома"])
def test_words_of_every_script(text: str) -> None:
    """Four words, of which an output has the first three: 3, 2, 1 and 0 n-grams in common."""
    start = text[: text.rindex(" ")] if " " in text else text[:-1]
    cosines = [shared / math.sqrt(shared * (shared + 1)) for shared in (3, 2, 1)]
    expected = 1000 * math.exp(-1 / 72) * sum(cosines) / 4 / 2
    assert cider()([start, "x"], [[text], ["y"]])["cider"] == pytest.approx(expected)


def test_signature() -> None:
    assert cider().signature == (
        "cider-d|refs:mean|n:4|sigma:6|df:references|tok:words|unspaced-scripts:characters"
        "|lowercase:yes|scale:100"
    )


def test_unknown_tokenisation() -> None:
    message = "metric.cider.tokenize (ptb) must be one of words, none."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        cider("ptb")
