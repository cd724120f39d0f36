"""Changes the HTML of each page while the site is built, so that a page needs no script for it.

Formulas become MathML: they are written as TeX, ``$...$`` in a line and ``$$...$$`` on lines of
their own, which ``pymdownx.arithmatex`` finds. Cells of tables that hold a command get room.
A page that loads something from another server is a warning, which ends a strict build.
"""

import html
import logging
import re
from typing import Any

from latex2mathml.converter import convert
from mkdocs.structure.pages import Page

FORMULA = re.compile(
    r"<(?P<tag>span|div) class=\"arithmatex\">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>", re.DOTALL
)
LONG_CODE = re.compile(r"<td>(?=<code>[^<]{30,}</code>)")
ROLE = re.compile(r":(?:attr|class|func|meth|mod):(?=<code>)")
"""What docstrings say of a name in backticks, for which Markdown has no word."""
OUTSIDE = re.compile(
    r"<(?:audio|embed|iframe|img|link|script|source|video)\b[^>]*\s(?:src|href)=\"(?:https?:)?//"
)
log = logging.getLogger("mkdocs.hooks.content")


def on_page_content(content: str, **_: Any) -> str:
    """Change the HTML of a page."""
    content = LONG_CODE.sub('<td class="long">', ROLE.sub("", content))
    return FORMULA.sub(_mathml, content)


def on_post_page(output: str, *, page: Page, **_: Any) -> str:
    """Warn if a page cannot be read without the network."""
    if OUTSIDE.search(output):
        log.warning("%s loads something from another server.", page.file.src_uri)
    return output


def _mathml(match: re.Match[str]) -> str:
    display = "inline" if match["tag"] == "span" else "block"
    formula = convert(html.unescape(match["tex"]).strip(), display=display)
    return f'<{match["tag"]} class="formula">{formula}</{match["tag"]}>'
