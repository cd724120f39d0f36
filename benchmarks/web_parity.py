"""Does a model in a browser write what it writes in PyTorch?

    python benchmarks/web_parity.py outputs/mine outputs/other
    python benchmarks/web_parity.py outputs/mine --sources 20 --weights int8

Each run is exported as a web page, which chromium opens from the disk without a network. It writes
outputs for texts of the run's ``test.jsonl`` or the pictures in its ``media/``, greedily and by a
beam of 5. A line for each says how many have the tokens of PyTorch (and how many all five of the
beam), how far the best scores are apart, and the seconds of an output, of PyTorch one source at a
time, too. Needs the extras ``onnx`` and ``browser``, and chromium.
"""

import argparse
import base64
import json
import shutil
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch
from playwright.sync_api import Browser, Page, sync_playwright

from tandem.core.types import Hypothesis
from tandem.export.base import find_exporter
from tandem.export.folder import write_export
from tandem.inference import Bundle, load_bundle
from tandem.search import BeamSearch, GreedySearch

BEAM = {"width": 5, "length_penalty": "average", "alpha": 1.0, "stop": "pool"}
SEARCHES = {"greedy": GreedySearch(), "beam": BeamSearch(**BEAM)}  # type: ignore[arg-type]
GENERATE = """async ([source, search]) => {
  const { outputs } = await tandem.generate(source, search);
  return outputs.map(({ tokens, score }) => [tokens, score]);
}"""


class Source(NamedTuple):
    """A source, as either of the two reads it."""

    for_torch: str
    """A text, or the path of a picture."""
    for_page: str
    """A text, or a picture's file in Base64."""


def sources_of(run: Path, media: str, count: int) -> list[Source]:
    """The first texts of the test split, or the pictures that the run has kept of it."""
    if media == "image":
        paths = sorted((run / "media").glob("test-*.jpg"))[:count]
        return [Source(str(path), base64.b64encode(path.read_bytes()).decode()) for path in paths]
    with (run / "test.jsonl").open(encoding="utf-8") as lines:
        texts = [str(json.loads(line)["source"]) for line in islice(lines, count)]
    return [Source(text, text) for text in texts]


def exported(bundle: Bundle, run: Path, folder: Path, weights: str) -> Path:
    """The page of a run."""
    exporter = find_exporter("web", weights, run)
    exporter.check(bundle)
    (name,) = write_export(bundle, run, folder, exporter, weights=weights)
    return folder / name


def compare(page: Page, bundle: Bundle, sources: list[Source], kind: str) -> str:
    """One line about a search."""
    chosen = replace(bundle, decoding=replace(bundle.decoding, search=SEARCHES[kind]))
    began = time.perf_counter()
    expected = [chosen.hypotheses([source.for_torch])[0] for source in sources]
    in_torch = time.perf_counter() - began
    began = time.perf_counter()
    search = {"kind": kind, **BEAM}
    found = [page.evaluate(GENERATE, [source.for_page, search]) for source in sources]
    in_page = time.perf_counter() - began
    pairs = list(zip(found, expected, strict=True))
    best = sum(page_best[0] == one.tokens for (page_best, *_), (one, *_) in pairs)
    every = sum(
        [row[0] for row in rows] == [one.tokens for one in others] for rows, others in pairs
    )
    apart = max(_difference(rows, others) for rows, others in pairs)
    return (
        f"{kind}: {best}/{len(sources)} equal, all hypotheses {every}/{len(sources)}, scores at "
        f"most {apart:.1e} apart; {in_page / len(sources):.3f} s an output, "
        f"PyTorch {in_torch / len(sources):.3f} s"
    )


def _difference(rows: list[Any], expected: list[Hypothesis]) -> float:
    """Of the best scores."""
    return abs(rows[0][1] - expected[0].score)


def report(browser: Browser, run: Path, file: Path, bundle: Bundle, count: int) -> None:
    """Print what one page does."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    began = time.perf_counter()
    page.goto(file.as_uri())
    page.evaluate("tandem.ready")
    seconds = time.perf_counter() - began
    print(f"{run.name}: {file.stat().st_size / 10**6:.1f} MB, ready after {seconds:.1f} s")
    sources = sources_of(run, bundle.processors.source.media, count)
    for kind in SEARCHES:
        print(f"  {compare(page, bundle, sources, kind)}")
    print(f"  requests: {', '.join(url.rpartition('/')[2] for url in requests)}", flush=True)
    context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--sources", type=int, default=100)
    parser.add_argument("--weights", default="float32")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for run in arguments.runs:
            bundle = load_bundle(run)
            file = exported(bundle, run, Path(folder) / run.name, arguments.weights)
            report(browser, run, file, bundle, arguments.sources)
        browser.close()


if __name__ == "__main__":
    main()
