"""Changes the HTML of each page while the site is built, so that a page needs no script for it.

Formulas become MathML: they are written as TeX, ``$...$`` in a line and ``$$...$$`` on lines of
their own, which ``pymdownx.arithmatex`` finds. Cells of tables that hold a command get room.
"""

import html
import re
from typing import Any

from latex2mathml.converter import convert

FORMULA = re.compile(
    r"<(?P<tag>span|div) class=\"arithmatex\">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>", re.DOTALL
)
LONG_CODE = re.compile(r"<td>(?=<code>[^<]{30,}</code>)")
ROLE = re.compile(r":(?:attr|class|func|meth|mod):(?=<code>)")
"""What docstrings say of a name in backticks, for which Markdown has no word."""


def on_page_content(content: str, **_: Any) -> str:
    """Change the HTML of a page."""
    content = LONG_CODE.sub('<td class="long">', ROLE.sub("", content))
    return FORMULA.sub(_mathml, content)


def _mathml(match: re.Match[str]) -> str:
    display = "inline" if match["tag"] == "span" else "block"
    formula = convert(html.unescape(match["tex"]).strip(), display=display)
    return f'<{match["tag"]} class="formula">{formula}</{match["tag"]}>'
