"""XML in pieces: the elements of some names, one by one, of files of any size."""

import html.entities
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from tandem.core.errors import InputError, reason_of
from tandem.data.compressed import CHUNK, open_content
from tandem.data.text_files import explain_failures

DEEPEST = 100
"""Elements inside one another; no file of texts needs as many."""


@dataclass(slots=True)
class Element:
    """An element with all that is inside it."""

    name: str
    """Without the prefix of a namespace."""
    attributes: dict[str, str]
    line: int
    """Where it begins, from 1 on."""
    parent: "Element | None"
    """Of an element that was not asked for: only its name, attributes and parent."""
    content: "list[Element | str]" = field(default_factory=list)

    def children(self, *names: str) -> "list[Element]":
        """The elements of these names directly inside."""
        return [part for part in self.content if isinstance(part, Element) and part.name in names]

    def descendants(self, name: str) -> "Iterator[Element]":
        """The elements of this name at any depth, in order."""
        for part in self.content:
            if isinstance(part, Element):
                if part.name == name:
                    yield part
                else:
                    yield from part.descendants(name)

    def around(self, name: str) -> "Element | None":
        """The nearest element of this name around it."""
        element = self.parent
        while element is not None and element.name != name:
            element = element.parent
        return element

    def inherited(self, name: str) -> str | None:
        """The value of an attribute of this element, or else of the nearest one around it."""
        element: Element | None = self
        while element is not None and name not in element.attributes:
            element = element.parent
        return None if element is None else element.attributes[name]

    def text(self, without: Collection[str] = (), again: Collection[str] = ()) -> str:
        """What it holds as text.

        A line break at an end, with the whitespace around it, is the layout of the file and not
        text, unless ``xml:space`` is ``preserve``.

        :param without: elements that are left out with what is inside them.
        :param again: elements in them that are text after all.
        """
        text = "".join(self._pieces(without, again, hidden=False))
        return text if self.inherited("xml:space") == "preserve" else _without_layout(text)

    def _pieces(
        self, without: Collection[str], again: Collection[str], *, hidden: bool
    ) -> Iterator[str]:
        for part in self.content:
            if isinstance(part, Element):
                inside = part.name not in again and (hidden or part.name in without)
                yield from part._pieces(without, again, hidden=inside)
            elif not hidden:
                yield part


def read_elements(path: Path, names: Collection[str]) -> Iterator[Element]:
    """Yield the outermost elements of these names, each as soon as it ends.

    The encoding is the one that the file declares. Entities that it defines itself are refused:
    a few lines of them can stand for gigabytes. Nothing outside the file is read.

    :param path: may be compressed.
    :raises InputError: if it is not well-formed, or not whole.
    """
    builder = _Builder(path, names)
    with explain_failures(f"the file {path}") as place, open_content(path) as content:
        while chunk := content.read(CHUNK):
            builder.feed(chunk)
            yield from builder.take()
            place.number = builder.parser.CurrentLineNumber - 1
    builder.feed(b"", last=True)
    yield from builder.take()


class _Builder:
    """Makes elements of what the parser meets."""

    def __init__(self, path: Path, names: Collection[str]) -> None:
        self.path = path
        self.names = names
        self.open: Element | None = None
        self.wanted: Element | None = None
        self.depth = 0
        self.whole: list[Element] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.SkippedEntityHandler = self.entity
        self.parser.EntityDeclHandler = self.declaration

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        try:
            self.parser.Parse(chunk, last)
        except InputError:
            raise
        except (expat.ExpatError, LookupError, ValueError) as error:
            raise InputError(
                f"{self.place} is not well-formed XML ({reason_of(error)}); correct the file, or "
                "write it anew with the tool that it comes from."
            ) from error

    def take(self) -> list[Element]:
        taken, self.whole = self.whole, []
        return taken

    @property
    def place(self) -> str:
        return f"{self.path} line {self.parser.CurrentLineNumber}"

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        element = Element(name, attributes, self.parser.CurrentLineNumber, self.open)
        self.depth += 1
        if self.depth > DEEPEST:
            raise InputError(
                f"{self.place} has more than {DEEPEST} elements inside one another, which no file "
                "of texts needs; correct the file."
            )
        if self.wanted is not None and self.open is not None:
            self.open.content.append(element)
        elif name in self.names:
            self.wanted = element
        self.open = element

    def end(self, _: str) -> None:
        assert self.open is not None
        if self.open is self.wanted:
            self.whole.append(self.open)
            self.wanted = None
        self.depth -= 1
        self.open = self.open.parent

    def text(self, text: str) -> None:
        if self.wanted is not None and self.open is not None:
            self.open.content.append(text)

    def entity(self, name: str, _: bool) -> None:
        """Take a name that a document type outside the file would explain for the one of HTML."""
        if f"{name};" not in html.entities.html5:
            raise InputError(
                f"{self.place} has the entity &{name};, which the file does not explain; write the "
                "character instead."
            )
        self.text(html.entities.html5[f"{name};"])

    def declaration(self, name: str, *_: object) -> None:
        raise InputError(
            f"{self.place} defines the entity {name}, and Tandem reads no file that does, as a few "
            "lines of them can stand for gigabytes; write the texts without it."
        )


def _without_layout(text: str) -> str:
    """Leave out line breaks at the ends, with the whitespace around them."""
    left = text[: len(text) - len(text.lstrip())]
    if "\n" in left:
        text = text[len(left) :]
    right = text[len(text.rstrip()) :]
    return text[: len(text) - len(right)] if "\n" in right else text
