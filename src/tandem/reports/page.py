"""One HTML page that needs no network: style, scripts, data and pictures all stand in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from tandem.core.page_style import page_style
from tandem.core.plain_json import inline_json

FOLDER = Path(__file__).parent / "page"
SCRIPTS = (
    "model.js",
    "seeds.js",
    "theme.js",
    "filter.js",
    "columns.js",
    "table.js",
    "charts.js",
    "curves.js",
    "details.js",
    "compare.js",
    "export.js",
    "address.js",
    "start.js",
)


def render(data: Mapping[str, Any], *, title: str, written: str) -> str:
    """Put plain data into the page.

    :param data: what :func:`tandem.reports.comparison.comparison` returns.
    :param title: what the report is about.
    :param written: when it was written.
    """
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True)
    page = environment.get_template("report.html").render(
        title=title,
        written=written,
        style=Markup(page_style()) + _inline("report.css"),
        plotly=Markup(get_plotlyjs()),
        scripts=Markup("\n").join(_inline(name) for name in SCRIPTS),
        data=Markup(inline_json(data)),
    )
    return page.encode("utf-8", "replace").decode()  # names of files may hold halves of letters


def _inline(name: str) -> Markup:
    return Markup((FOLDER / name).read_text(encoding="utf-8"))
