"""What recognised text is freed from before it is compared."""

import re
import unicodedata

from tandem.core.errors import InputError
from tandem.metrics._words import shape

NORMALIZATIONS = ("none", "basic")
_QUOTES = re.compile("(?<![wmc_])'|'(?![wmc_])")
"""Apostrophes that are not inside of a word, in the shape of a text."""
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\uff07", "'"))


def check_normalization(metric: str, normalization: str) -> None:
    """Refuse an option that does not exist."""
    if normalization not in NORMALIZATIONS:
        raise InputError(
            f"metric.{metric}.normalization ({normalization}) must be one of "
            f"{', '.join(NORMALIZATIONS)}."
        )


def normalize(text: str, normalization: str) -> str:
    """Return the text as it is compared.

    :param normalization: ``none``, or ``basic``: NFKC, letters without case, a space for each
        punctuation mark but apostrophes inside of words, single spaces.
    """
    if normalization == "none":
        return text
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES)
    spaced = "".join(
        " " if unicodedata.category(letter).startswith("P") and letter != "'" else letter
        for letter in unicodedata.normalize("NFKC", folded)
    )
    quotes = {match.start() for match in _QUOTES.finditer(shape(spaced))}
    freed = (" " if place in quotes else letter for place, letter in enumerate(spaced))
    return " ".join("".join(freed).split())
