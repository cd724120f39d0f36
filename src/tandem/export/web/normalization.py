"""Unicode normalisation in two versions of Unicode: the tokenizer's and a browser's."""

import sys
import unicodedata

from tokenizers import normalizers

HIGHEST_MARK = "\u0345"
"""Of all marks that combine with a letter this one comes last."""
SURROGATES = range(0xD800, 0xE000)


def left_alone(form: str) -> list[tuple[int, int]]:
    """Characters that the tokenizer's library is too old to normalise, first and last of each run.

    It leaves them as they are, and so must a browser, which knows more of them each year. What
    Python does not know either counts as one of them.

    :param form: NFC, NFD, NFKC or NFKD.
    """
    library = getattr(normalizers, form)()

    def is_alone(code: int) -> bool:
        character = chr(code)
        if unicodedata.category(character) == "Cn":  # nobody's yet
            return bool(library.normalize_str(character) == character)
        texts = [character]
        if unicodedata.combining(character):
            texts.append(HIGHEST_MARK + character)  # to be put in order
        return any(
            unicodedata.normalize(form, text) != text  # type: ignore[arg-type]
            and library.normalize_str(text) == text
            for text in texts
        )

    runs: list[tuple[int, int]] = []
    for code in range(sys.maxunicode + 1):
        if code in SURROGATES or not is_alone(code):
            continue
        if runs and runs[-1][1] == code - 1:
            runs[-1] = runs[-1][0], code
        else:
            runs.append((code, code))
    return runs
