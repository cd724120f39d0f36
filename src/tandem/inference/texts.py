"""Lists of texts that a caller gives, and what belongs to each of them."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

from tandem.core.errors import InputError


def listed_texts(name: str, texts: Iterable[str | os.PathLike[str]]) -> list[str]:
    """A list, tuple, array or generator of texts or paths, as a list of texts.

    :param name: what they are, such as ``sources``.
    :raises InputError: if it is one text, or something in it is no text.
    """
    if isinstance(texts, str | bytes | os.PathLike):
        raise InputError(
            f"`{name}` must be a list of texts or paths, but is the single one {texts!r}; put it "
            "into a list, [...], and take the first of the results."
        )
    if not isinstance(texts, Iterable):
        raise InputError(
            f"`{name}` must be a list of texts or paths, but is {texts!r}; give a list, such as "
            '["one", "two"].'
        )
    listed = []
    for place, text in enumerate(texts):
        path = os.fspath(text) if isinstance(text, os.PathLike) else text
        if not isinstance(path, str):
            raise InputError(
                f"`{name}` must be a list of texts or paths, but {name}[{place}] is {text!r}; "
                "give a text or a path there."
            )
        listed.append(str(path))
    return listed


def check_equally_many(sources: Sequence[Any], others: Sequence[Any], name: str) -> None:
    """Refuse pairs of which one half is missing.

    :param name: what the others are, such as ``targets``.
    :raises InputError: if there are not as many as sources.
    """
    if len(sources) != len(others):
        raise InputError(
            f"There are {len(sources)} `sources` and {len(others)} `{name}`, but each belongs to "
            "the source at its place; make them equally many."
        )
