"""Translation memories: TMX 1.1 to 1.4b (LISA OSCAR 2005)."""

from collections.abc import Iterator
from pathlib import Path

from tandem.data.rows.markup import read_elements
from tandem.data.rows.translations import Unit

CODES = ("bpt", "ept", "it", "ph", "ut")
"""They hold codes of the format that was translated, such as RTF, and no text; ``hi`` does."""
TEXT_IN_CODES = ("sub",)
"""Such as a footnote; the standard calls it text."""


def read_tmx(path: Path) -> Iterator[Unit]:
    """Yield the units of a file of any size; the encoding is the one that it declares."""
    for unit in read_elements(path, ("tu",)):
        texts = [
            (
                variant.attributes.get("xml:lang", variant.attributes.get("lang", "")),
                segment.text(without=CODES, again=TEXT_IN_CODES),
            )
            for variant in unit.children("tuv")
            for segment in variant.children("seg")
        ]
        yield Unit(f"{path} line {unit.line}", None, texts)
