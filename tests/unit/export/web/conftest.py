"""A real browser, where this machine has one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tandem.export.web.page import FOLDER


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """Chromium, driven by playwright."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@contextmanager
def watched_page(browser: Any) -> Iterator[Any]:
    """A page without a network, which must raise no error and send no request but for itself."""
    context = browser.new_context(offline=True, viewport={"width": 400, "height": 800})
    opened, faults = context.new_page(), []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda message: faults.append(message.text))
    opened.on("request", lambda request: faults.append(request.url))
    yield opened
    context.close()
    assert [fault for fault in faults if not fault.startswith("file:")] == []


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """An empty page."""
    with watched_page(browser) as opened:
        yield opened


@pytest.fixture(scope="package")
def scripts(browser: Any) -> Iterator[Any]:
    """An empty page with the functions of the export's that need no model."""
    with watched_page(browser) as opened:
        for name in ("tokenizer.js", "picture.js", "source.js", "search.js"):
            opened.add_script_tag(path=FOLDER / name)
        yield opened
