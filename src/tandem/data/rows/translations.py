"""Units of translation, as files of translators hold them: a text in several languages."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from tandem.data.rows.base import Record

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


def as_records(units: Iterable[Unit], source: str, target: str) -> Iterator[Record]:
    """Yield a row for each text that a unit has in the source language, usually one.

    Its columns are the two languages as they are asked for, ``document``, and, where the unit lacks
    one of the two, the languages that it has instead. The target is a list of texts.
    """
    for unit in units:
        wanted = {language: texts_in(unit, language) for language in (source, target)}
        lacking = [language for language, texts in wanted.items() if not texts]
        unnamed = [text for tag, text in unit.texts if not tag]
        if len(lacking) == 1 and unnamed:
            wanted[lacking.pop()] = unnamed
        values: dict[str | int, Any] = {DOCUMENT: unit.document}
        if lacking:
            values |= {tag: text for tag, text in unit.texts if tag}
        values |= {language: texts for language, texts in wanted.items() if texts}
        sources = wanted[source]
        for text in sources:
            yield Record(unit.place, {**values, source: text})
        if not sources:
            yield Record(unit.place, values)


def texts_in(unit: Unit, language: str) -> list[str]:
    """Return the texts of a unit in a language, each once.

    ``en`` is exactly ``en`` where the unit has it, else every kind of English, such as ``en-GB``
    (RFC 4647, basic filtering); case does not matter, nor whether ``_`` or ``-`` stands between.
    """
    wanted = _tag(language)
    exact = [text for tag, text in unit.texts if _tag(tag) == wanted]
    kinds = [text for tag, text in unit.texts if _tag(tag).startswith(f"{wanted}-")]
    return list(dict.fromkeys(exact or kinds))


def as_line(text: str) -> str:
    """Return the text of a segment whose line breaks, and whitespace at its ends, are layout."""
    return re.sub(r"[ \t]*[\r\n]\s*", " ", text).strip()


def _tag(language: str) -> str:
    return language.strip().replace("_", "-").lower()
