"""Words of every script, for metrics that do not take a library's own."""

import re
import unicodedata
from collections.abc import Iterable

_ALONE = (
    "CJK UNIFIED",
    "CJK COMPATIBILITY IDEOGRAPH",
    "IDEOGRAPHIC",
    "HIRAGANA",
    "KATAKANA",
    "HALFWIDTH KATAKANA",
    "BOPOMOFO",
    "THAI",
    "LAO",
    "KHMER",
    "MYANMAR",
)
"""How names of characters begin whose scripts have no spaces between words."""
_JOINERS = "\u200c\u200d"
"""Invisible signs that stand inside of words, in Persian and Hindi."""

WORD = "w[wm]*|cm*"
"""A word in :func:`shape`: letters and digits with their marks, or one character that stands
alone."""
SCHEME = "words|unspaced-scripts:characters"
"""What signatures call such words."""
MEAN_WORD = 4.0
"""Characters that words have at most on the average, in scripts without spaces."""


class _Shapes(dict[int, str]):
    """What each character is, looked up once."""

    def __missing__(self, code: int) -> str:
        self[code] = _shape(chr(code))
        return self[code]


def _shape(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] == "M" or character in _JOINERS:
        return "m"
    if category[0] not in "LN":
        return character
    return "c" if unicodedata.name(character, "").startswith(_ALONE) else "w"


_SHAPES = _Shapes()


def shape(text: str) -> str:
    """What each character of a text is, in as many characters.

    Letters and digits are ``w``, and ``c`` where the script has no spaces between words; marks on
    them ``m``, as a vowel sign of Hindi is part of its word; others stay as they are.
    """
    return text.translate(_SHAPES)


def find_words(text: str, pattern: re.Pattern[str]) -> list[str]:
    """The parts of a text in whose :func:`shape` the pattern is found."""
    return [text[match.start() : match.end()] for match in pattern.finditer(shape(text))]


def is_unspaced(texts: Iterable[str]) -> bool:
    """Whether most letters of the texts are of scripts without spaces, and not cut into words."""
    alone = letters = parts = 0
    for text in texts:
        shapes = shape(text)
        alone += shapes.count("c")
        letters += shapes.count("c") + shapes.count("w")
        parts += sum("c" in part for part in shapes.split())
    return alone * 2 > letters and alone > MEAN_WORD * parts
