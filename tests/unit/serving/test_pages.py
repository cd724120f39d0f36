"""The files of the pages: whole, and without a word to another host."""

import re
from pathlib import Path

import pytest

import tandem.serving
from tandem.core.page_style import PAGE_STYLE

PAGES = Path(tandem.serving.__file__).parent / "pages"
FILES = sorted(path for path in PAGES.rglob("*") if path.is_file())
NAMES = [path.relative_to(PAGES).as_posix() for path in FILES]
XML = "http://www.w3.org/2000/svg"
REFERENCES = {
    ".html": re.compile(r"""(?:src|href)="(static/[^"]+)\""""),
    ".js": re.compile(r"""(?:from|import) "([^"]+)";"""),
    ".css": re.compile(r"""url\(["']?([^"')]+)"""),
}


def referenced(path: Path) -> list[Path]:
    """Files that a file names."""
    names = REFERENCES.get(path.suffix, re.compile(r"(?!)")).findall(path.read_text())
    names = [name for name in names if name != f"static/{PAGE_STYLE.name}"]  # of all pages
    beside = [PAGES / name.removeprefix("static/") for name in names if name.startswith("static/")]
    return beside + [path.parent / name for name in names if not name.startswith("static/")]


@pytest.mark.parametrize("name", NAMES)
def test_asks_no_other_host(name):
    text = (PAGES / name).read_text().replace(XML, "")
    assert not re.search(r"(?:https?:)?//[a-z0-9-]+\.", text)


@pytest.mark.parametrize("name", NAMES)
def test_what_it_names_is_there(name):
    for path in referenced(PAGES / name):
        assert path.is_file(), path


def test_every_file_is_used():
    """A page that is asked for, or a file that one of them needs."""
    pages = {path for path in FILES if path.suffix == ".html"}
    used, new = set(), {path.resolve() for path in pages}
    while new:
        used |= new
        new = {other.resolve() for path in new for other in referenced(path)} - used
    assert used == {path.resolve() for path in FILES}


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith(".css")])
def test_needs_no_inline_script_or_style(name):
    """The policy of the server forbids both."""
    text = (PAGES / name).read_text()
    assert not re.search(r"<style|<script(?![^>]*src=)| style=| on[a-z]+=|style: ", text)


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".js")])
def test_text_never_becomes_markup(name):
    text = (PAGES / name).read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
