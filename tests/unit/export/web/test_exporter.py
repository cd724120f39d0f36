"""A page from its model to its outputs, in a browser without a network."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tandem.export.base import find_exporter
from tandem.export.folder import write_export
from tandem.export.web.engine import ONNXRUNTIME_WEB
from tandem.inference import Bundle, load_bundle
from tandem.search import Search

pytestmark = [
    pytest.mark.skipif(not ONNXRUNTIME_WEB.path.is_file(), reason="the engine is not cached"),
    pytest.mark.slow,
]
SOURCES = ["a b c d", "d", "c a", "b b b a", "zork a"]
EXAMPLE = {"split": "test", "index": 0, "source": "a <b>b</b>", "references": ["w <i>x</i>"]}
GENERATE = "([source, search]) => tandem.generate(source, search).then((found) => found.outputs)"


def export(bundle: Bundle, run: Path) -> Path:
    exporter = find_exporter("web", "float32", run)
    exporter.check(bundle)
    output = run / "export-web"
    (name,) = write_export(bundle, run, output, exporter, weights="float32")
    assert name == f"{run.name}.html"
    return output / name


def test_a_page_writes_what_torch_writes(
    page: Any, small_bundle: Callable[..., Path], small_search: Callable[..., Search]
) -> None:
    run = small_bundle("mine/bundle", seed=3, max_length=8).parent
    (run / "samples.jsonl").write_text(json.dumps(EXAMPLE))
    bundle = load_bundle(run)
    page.goto(export(bundle, run).as_uri())
    page.evaluate("tandem.ready")

    options = {"width": 5, "length_penalty": "gnmt", "alpha": 0.7, "stop": "pool"}
    for kind, search in {
        "greedy": small_search("greedy"),
        "beam": small_search("beam", **options),
    }.items():
        decoding = replace(bundle.decoding, search=search)
        expected = replace(bundle, decoding=decoding).hypotheses(SOURCES)
        found = [page.evaluate(GENERATE, [source, {"kind": kind, **options}]) for source in SOURCES]
        for outputs, hypotheses in zip(found, expected, strict=True):
            assert [one["tokens"] for one in outputs] == [one.tokens for one in hypotheses]
            scores = [one.score for one in hypotheses]
            assert [one["score"] for one in outputs] == pytest.approx(scores, abs=1e-4)

    page.keyboard.type("a zork <b>")  # the text has the focus
    page.keyboard.press("Enter")
    page.locator("#score:not(:empty)").wait_for()
    output = page.locator("#output").inner_text()
    assert output == bundle.generate(["a zork <b>"])[0]
    assert page.locator("#state").inner_text() == "The model's vocabulary lacks: zork <b>"
    assert page.locator("#attention thead th").all_inner_texts() == [
        *("", "a", "<unk>", "<unk>", "<eos>")
    ]
    page.locator("#search").select_option("beam")
    page.locator("#examples-list button").click()
    page.locator("#best tr").nth(5).wait_for()
    assert page.locator("#reference").inner_text() == "Reference: w <i>x</i>"
    assert page.locator("body b, body i").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 400
