"""XLIFF 1.0 to 1.2 and 2.0 to 2.2 (OASIS): files on their way through translation."""

from collections.abc import Iterator
from pathlib import Path

from tandem.data.rows.markup import Element, read_elements
from tandem.data.rows.translations import Unit

CODES = ("bpt", "ept", "it", "ph")
"""They hold codes of the format that was translated and no text; ``g``, ``mrk``, ``pc`` do."""
TEXT_IN_CODES = ("sub",)
UNTRANSLATED = ("new", "needs-translation")
"""States of a target that still is a copy of the source, or nothing (1.2, section 3.2)."""


def read_xliff(path: Path) -> Iterator[Unit]:
    """Yield the segments of a file; one without a translation has a text in one language only.

    Translations that are merely proposed (``alt-trans``, ``match``) are left out.
    """
    for unit in read_elements(path, ("trans-unit", "unit")):
        file = unit.around("file")
        names = {} if file is None else file.attributes
        document = names.get("original") or names.get("id")
        for segment in [unit] if unit.name == "trans-unit" else unit.children("segment"):
            texts = [*_text(segment, "source"), *_text(segment, "target")]
            yield Unit(f"{path} line {segment.line}", document, texts)


def _text(segment: Element, side: str) -> Iterator[tuple[str, str]]:
    """Yield the language of one side, empty if the file does not name it, and the text."""
    for element in segment.children(side)[:1]:
        if element.attributes.get("state") in UNTRANSLATED:
            return
        names = (f"{side}-language", "srcLang" if side == "source" else "trgLang")
        language = element.attributes.get("xml:lang") or next(
            filter(None, map(element.inherited, names)), ""
        )
        yield language, element.text(without=CODES, again=TEXT_IN_CODES)
