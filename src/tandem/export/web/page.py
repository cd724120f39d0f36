"""The page: its own files, the engine, the graphs and plain data, all in one text."""

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from tandem import __version__
from tandem.core.page_style import page_style
from tandem.core.plain_json import inline_json
from tandem.export.web.engine import ONNXRUNTIME_WEB, Engine

FOLDER = Path(__file__).parent / "page"
GRAPHS = ("encoder", "start", "step")
SCRIPTS = ("tokenizer.js", "picture.js", "source.js", "search.js", "network.js", "start.js")


def render(
    data: Mapping[str, Any], *, title: str, graphs: Mapping[str, bytes], engine: Engine
) -> str:
    """Make the page, which allows its browser its own scripts and no request.

    :param data: plain data: what :func:`tandem.export.web.contents.page_data` returns.
    :param title: what the page is called.
    :param graphs: the files of :data:`GRAPHS`.
    """
    style = page_style() + _read("page.css")
    scripts = "\n".join(_read(name) for name in SCRIPTS)
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True)
    page = environment.get_template("page.html").render(
        title=title,
        style=Markup(style),
        scripts=_script(scripts),
        engine=_script(engine.script),
        allowed_scripts=Markup(" ".join(map(_allowed, (engine.script, scripts)))),
        allowed_style=Markup(_allowed(style)),
        data=Markup(inline_json(data)),
        packed={
            "engine": _packed(engine.wasm),
            **{name: _packed(graphs[name]) for name in GRAPHS},
        },
        version=__version__,
        engine_version=ONNXRUNTIME_WEB.version,
    )
    return page.encode("utf-8", "replace").decode()  # names of folders may hold halves of letters


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _script(text: str) -> Markup:
    assert not re.search("</script|<!--", text, re.IGNORECASE), "a script that ends early"
    return Markup(text)


def _allowed(text: str) -> str:
    """The source of an inline element for a Content-Security-Policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _packed(content: bytes) -> str:
    """Bytes as text, to be unpacked by the page."""
    return base64.b64encode(gzip.compress(content, compresslevel=9, mtime=0)).decode()
