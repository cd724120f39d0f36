"""WMT's test sets until 2020, IWSLT's and NIST's: SGML, a file a language, which is no XML."""

import html
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tandem.core.errors import InputError
from tandem.data.rows.translations import Unit, as_line
from tandem.data.text_files import read_text

TAG = re.compile(r"<(/?)(doc|seg)\b([^<>]*)>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);")
Key = tuple[str, str, int]
"""Names of document and segment, and which one of them it is, from 0 on."""


class Segment(NamedTuple):
    """One segment of one file."""

    line: int
    system: str
    """Who translated it; a file may hold the translations of several."""
    document: str
    name: str
    text: str


def read_sgm(source: Path, target: Path, languages: tuple[str, str]) -> Iterator[Unit]:
    """Yield the segments of two files, put together by the names of document and segment.

    :param languages: what the files' languages are called in the units.
    :raises InputError: if one of them has a segment that the other one has not.
    """
    sources, targets = (_by_key(segments(path, read_text(path))) for path in (source, target))
    for path, other, lacking in (
        (source, target, targets.keys() - sources.keys()),
        (target, source, sources.keys() - targets.keys()),
    ):
        if lacking:
            document, name, _ = min(lacking)
            raise InputError(
                f"{path} has no segment {name} in the document {document}, but {other} has; check "
                "that the two files belong together."
            )
    for key, (first, *_) in sources.items():
        texts = [(languages[0], first.text)]
        texts += [(languages[1], segment.text) for segment in targets[key]]
        yield Unit(f"{source} line {first.line}", first.document, texts)


def segments(path: Path, content: str) -> Iterator[Segment]:
    """Yield the segments of a file, without whitespace at their ends as it is layout there.

    An ``&`` that begins no entity and a ``<`` that begins no tag of the format are text.

    :raises InputError: if a segment does not end.
    """
    document, system, line, last = "", "", 1, 0
    opened: tuple[int, str, int] | None = None
    for tag in TAG.finditer(content):
        line, last = line + content.count("\n", last, tag.start()), tag.start()
        closes, name = bool(tag[1]), tag[2].lower()
        attributes = _attributes(tag[3])
        if opened is not None and not (closes and name == "seg"):
            break
        if name == "doc" and not closes:
            document, system = attributes.get("docid", ""), attributes.get("sysid", "")
        elif not closes:
            opened = tag.end(), attributes.get("id", ""), line
        elif opened is not None and name == "seg":
            start, segment, first = opened
            yield Segment(first, system, document, segment, _text(content[start : tag.start()]))
            opened = None
    if opened is not None:
        raise InputError(
            f"{path} line {opened[2]} begins a segment that does not end; put back a whole file."
        )


def _by_key(found: Iterator[Segment]) -> dict[Key, list[Segment]]:
    """Put the translations of one segment by several systems together."""
    earlier: Counter[tuple[str, str, str]] = Counter()
    together: dict[Key, list[Segment]] = {}
    for segment in found:
        place = segment.system, segment.document, segment.name
        key = segment.document, segment.name, earlier[place]
        earlier[place] += 1
        together.setdefault(key, []).append(segment)
    return together


def _attributes(written: str) -> dict[str, str]:
    return {
        name.lower(): html.unescape(double or single or bare)
        for name, double, single, bare in ATTRIBUTE.findall(written)
    }


def _text(written: str) -> str:
    return as_line(ENTITY.sub(lambda entity: html.unescape(entity[0]), written))
