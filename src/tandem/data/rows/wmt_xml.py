"""Test sets of WMT since 2021: all languages, and all translators, in one XML file."""

from collections.abc import Iterator
from pathlib import Path

from tandem.data.rows.markup import Element, read_elements
from tandem.data.rows.translations import Unit, as_line


def read_wmt_xml(path: Path) -> Iterator[Unit]:
    """Yield the segments of a file, each with all its references.

    Outputs of systems (``hyp``) and documents of test suites, which have no references, are left
    out, as sacreBLEU does.
    """
    for document in read_elements(path, ("doc",)):
        if "testsuite" in document.attributes:
            continue
        references = [_by_id(part) for part in document.children("ref")]
        for part in document.children("src"):
            for name, segment in _by_id(part).items():
                translations = [found[name] for found in references if name in found]
                texts = [
                    (_language(found), as_line(found.text())) for found in (segment, *translations)
                ]
                place = f"{path} line {segment.line}"
                yield Unit(place, document.attributes.get("id"), texts)


def _by_id(part: Element) -> dict[str, Element]:
    return {segment.attributes.get("id", ""): segment for segment in part.descendants("seg")}


def _language(segment: Element) -> str:
    return segment.inherited("lang") or ""
