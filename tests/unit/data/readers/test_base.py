"""What is asked of readers alone: nobody else looks at what kind of source a model has."""

import ast
from pathlib import Path

import pytest

import tandem

PACKAGE = Path(tandem.__file__).parent
KINDS = {
    *("Features", "Tokenizer", "TextColumn", "VectorColumn"),
    *("SourceReader", "TextReader", "FileReader"),
}


def switches(text: str) -> list[str]:
    """Where a program asks whether its source is a text or a file."""
    found = []
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, kind]):
                names = {one.id for one in ast.walk(kind) if isinstance(one, ast.Name)}
                if names & KINDS:
                    found.append(ast.unparse(node))
            case ast.Compare(left=ast.Attribute(attr="media"), ops=[ast.Is() | ast.IsNot()]):
                found.append(ast.unparse(node))
    return found


def test_nobody_asks_for_the_kind_of_a_source() -> None:
    found = {path: switches(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "isinstance(source, Features)",
        "isinstance(bundle.processors.source, Tokenizer)",
        "isinstance(self.reader(), TextColumn | VectorColumn)",
        "isinstance(reader, (TextReader, FileReader))",
        "data.media is None",
        "data.media is not None",
    ],
)
def test_a_switch_is_seen(line: str) -> None:
    assert switches(line)
