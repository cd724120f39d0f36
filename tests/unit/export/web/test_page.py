"""The page as a text: all of it is inside, and only its own scripts may run."""

import base64
import gzip
import hashlib
import re

from tandem.export.web.engine import Engine
from tandem.export.web.page import FOLDER, SCRIPTS, render

NASTY = "</script><script>alert(1)</script>"
ENGINE = Engine(script="globalThis.ort = {};\n", wasm=b"\0asm" * 100)
GRAPHS = {"encoder": b"e" * 99, "start": b"s", "step": b"t"}
PAGE = render({"facts": [NASTY]}, title=NASTY, graphs=GRAPHS, engine=ENGINE)


def elements(kind: str) -> list[str]:
    return re.findall(f"<{kind}>(.*?)</{kind.split()[0]}>", PAGE, re.DOTALL)


def test_only_its_own_scripts_and_styles_may_run() -> None:
    (policy,) = re.findall('http-equiv="Content-Security-Policy" content="([^"]*)"', PAGE)
    scripts, styles = elements('script type="module"'), elements("style")
    assert (len(scripts), len(styles)) == (2, 1)
    sources = [
        f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'"
        for one in (*scripts, *styles)
    ]
    assert policy.split("; ") == [
        "default-src 'none'",
        f"script-src {sources[0]} {sources[1]} 'wasm-unsafe-eval'",
        f"style-src {sources[2]}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert PAGE.index("Content-Security-Policy") < PAGE.index("<style>")


def test_names_and_data_are_no_markup() -> None:
    assert NASTY not in PAGE
    assert PAGE.count("<script") == PAGE.count("</script>") == 3 + 1 + len(GRAPHS)


def test_files_come_back() -> None:
    packed = dict(re.findall('<script type="text/plain" id="(.*?)">(.*?)</script>', PAGE))
    files = {name: gzip.decompress(base64.b64decode(text)) for name, text in packed.items()}
    assert files == {"engine": ENGINE.wasm, **GRAPHS}


def test_every_file_is_in_the_page() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*SCRIPTS, "page.html", "page.css"}
    for path in FOLDER.glob("*.js"):
        assert path.read_text() in PAGE


def test_the_same_model_gives_the_same_page() -> None:
    assert render({"facts": [NASTY]}, title=NASTY, graphs=GRAPHS, engine=ENGINE) == PAGE
