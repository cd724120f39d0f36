"""Units of translation, as files of translators hold them: a text in several languages."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from tandem.core.errors import InputError
from tandem.data.rows.base import Column, Record

DOCUMENT = "document"
"""The column of what a unit stands in."""


class Unit(NamedTuple):
    """What was translated together, usually a sentence."""

    place: str
    """For example ``memory.tmx line 12``."""
    document: str | None
    """What it stands in, if the file says so."""
    texts: Sequence[tuple[str, str]]
    """Languages such as ``en-GB``, and a text in each; a language may come more than once."""


def as_records(units: Iterable[Unit], *, source: str, target: str) -> Iterator[Record | InputError]:
    """Yield a row for each text that a unit has in the source language, usually one.

    Its columns are the two languages, as they are asked for, and ``document``; the target is a list
    of texts. A unit without one of the languages is yielded as an error.
    """
    for unit in units:
        languages = {"source": source, "target": target}
        texts = {side: texts_in(unit, language) for side, language in languages.items()}
        lacking = [side for side in languages if not texts[side]]
        if len(lacking) == 1 and (unnamed := texts_in(unit, "")):
            texts[lacking.pop()] = unnamed
        if lacking:
            side = lacking[0]
            there = ", ".join(dict.fromkeys(tag for tag, text in unit.texts if text.strip()))
            yield InputError(
                f"{unit.place} has no text in the language {languages[side]} (but in "
                f"{there or 'none'}); correct dataset.{side}, or leave out such units with "
                "data.on_bad_example=skip."
            )
            continue
        for text in texts["source"]:
            values: dict[Column, Any] = {source: text, target: texts["target"]}
            values[DOCUMENT] = unit.document
            yield Record(unit.place, values)


def texts_in(unit: Unit, language: str) -> list[str]:
    """Return the texts of a unit in a language that are not empty, each once.

    ``en`` is exactly ``en`` where the unit has it, else every kind of English, such as ``en-GB``
    (RFC 4647, basic filtering); case does not matter, nor whether ``_`` or ``-`` stands between.
    """
    wanted = _tag(language)
    texts = [(_tag(tag), text) for tag, text in unit.texts if text.strip()]
    exact = [text for tag, text in texts if tag == wanted]
    kinds = [text for tag, text in texts if wanted and tag.startswith(f"{wanted}-")]
    return list(dict.fromkeys(exact or kinds))


def as_line(text: str) -> str:
    """Return the text of a segment whose line breaks, and whitespace at its ends, are layout."""
    return re.sub(r"[ \t]*[\r\n]\s*", " ", text).strip()


def _tag(language: str) -> str:
    return language.strip().replace("_", "-").lower()
