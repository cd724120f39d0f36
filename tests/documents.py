"""The documents and their code blocks, for the tests that hold them against the program."""

import re
import sys
import textwrap
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")),
]


def read(document: str) -> str:
    """The text of a document."""
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str, language: str) -> list[str]:
    """Code blocks of one language, those in lists and tabs among them."""
    return [code for _, code, _ in numbered_blocks(document, language)]


def numbered_blocks(document: str, language: str) -> list[tuple[int, str, str]]:
    """For each code block of one language: its first line, its code, and the line above it."""
    text = read(document)
    pattern = rf"^([ ]*)```{language}(?: [^\n]*)?\n(.*?)^\1```"
    found = []
    for match in re.finditer(pattern, text, re.MULTILINE | re.DOTALL):
        above = text[: match.start()].rstrip("\n").rpartition("\n")[2].strip()
        number = text[: match.start()].count("\n") + 2
        found.append((number, textwrap.dedent(match[2]), above))
    return found


@cache
def generated_pages() -> dict[str, str]:
    """The pages that ``docs/hooks`` generates, by their paths, with their text."""
    return {f"docs/{path}": text for path, text in hook("reference").pages().items()}


def hook(name: str) -> ModuleType:
    """A module of those that change the site while it is built."""
    with patch.object(sys, "path", [str(ROOT / "docs/hooks"), *sys.path]):
        return import_module(name)
