"""The pictures of ``docs/guides/serve.md``: the pages of `tandem serve` in a browser.

    python benchmarks/serve_pictures.py outputs

``outputs`` holds five runs, of which those shown there were trained by these commands, each with
``run.folder=outputs/NAME`` (the first four are cut short):

    scan_transformer: tandem train experiment=scan/transformer trainer.max_steps=1200
    scan_gru_none:    tandem train experiment=scan/gru attention=none trainer.max_steps=1500
    glyphs:           tandem train experiment=glyphs/cnn_transformer trainer.max_steps=5000
    spoken:           tandem train experiment=spoken/conformer trainer.max_steps=1800
    multi30k:         tandem train experiment=multi30k/transformer_tiny
"""

import argparse
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from PIL import Image

COLOURS = 128
"""Of a picture's palette, which keeps files small."""
SENTENCE = "a man in a blue shirt is standing on a ladder cleaning a window"
COMMAND = "jump twice and run left"
READY = "#road[aria-busy=false] #station-beam"


@dataclass(frozen=True)
class Shot:
    """A picture of the page that looks inside."""

    name: str
    model: str
    text: str | None = None
    """None: the model's first example."""
    step: int = 1
    """Of the decoder."""
    position: int | None = None
    """The token that is pointed at."""
    first: str = "body"
    """The picture reaches from this element ..."""
    last: str = "#station-output"
    """... to the end of this one."""
    width: int = 1400
    dark: bool = False


SHOTS = (
    Shot("serve_look", "multi30k", SENTENCE, step=7, position=5),
    Shot("serve_bottleneck", "scan_gru_none", COMMAND, dark=True),
    Shot("serve_picture", "glyphs", step=2),
    Shot("serve_sound", "spoken", step=3),
    Shot("serve_tree", "multi30k", SENTENCE, first="#station-beam", last="#station-beam"),
    Shot("serve_narrow", "scan_transformer", COMMAND, step=3, width=400),
)


@contextmanager
def served(runs: Path) -> Iterator[str]:
    """The address of a server of these runs."""
    code = "from tandem.commands.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", str(runs), "port=0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        try:
            assert server.stdout is not None
            lines = (re.search(r"http://[\w.]+:\d+", line) for line in server.stdout)
            yield next(found[0] for found in lines if found)
        finally:
            server.terminate()
            server.communicate()


def look(page: Any, address: str, shot: Shot) -> bytes:
    """Open the page, walk to the step, and take the picture."""
    parts = {"model": shot.model} | ({"text": shot.text} if shot.text else {})
    page.goto(f"{address}/look#{urlencode(parts)}")
    if shot.text is None:
        page.click("#examples-fold summary")
        page.click(".example >> nth=0")
    page.wait_for_selector(READY)
    page.fill("#step", str(shot.step))
    if shot.position is not None:
        page.focus(f".tokens li >> nth={shot.position - 1}")
    page.wait_for_timeout(500)
    return taken(page, shot.first, shot.last)


def taken(page: Any, first: str, last: str) -> bytes:
    """From the top of an element to the bottom of another."""
    page.evaluate("scrollTo(0, 0)")
    top = page.locator(first).bounding_box()["y"]
    box = page.locator(last).bounding_box()
    bottom = box["y"] + box["height"] + 12
    width = page.viewport_size["width"]
    clip = {"x": 0, "y": max(top - 12, 0), "width": width, "height": bottom - max(top - 12, 0)}
    picture: bytes = page.screenshot(full_page=True, clip=clip)
    return picture


def try_models(page: Any, address: str) -> bytes:
    """Two models side by side."""
    page.goto(f"{address}/")
    page.check("input[value=scan_transformer]")
    page.uncheck("input[value=multi30k]")
    page.check("input[value=scan_gru_none]")
    page.click("summary")
    page.select_option("[name=search]", "beam")
    page.fill("#n-best", "3")
    page.click(".example >> nth=1")
    page.wait_for_selector(".hypotheses .score >> nth=5")
    page.wait_for_timeout(300)
    return taken(page, "body", ".outputs")


def columns(picture: Image.Image, count: int, gap: int = 12) -> Image.Image:
    """A long picture as columns side by side."""
    height = -(-picture.height // count)
    whole = Image.new("RGB", (count * (picture.width + gap) - gap, height), "white")
    for place in range(count):
        part = picture.crop((0, place * height, picture.width, (place + 1) * height))
        whole.paste(part, (place * (picture.width + gap), 0))
    return whole


def save(content: bytes, path: Path, *, narrow: bool = False) -> None:
    """Write a PNG with few colours."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    if narrow:
        picture = columns(picture, 3)
    picture.quantize(COLOURS).save(path, optimize=True)
    print(f"{path}: {picture.width} x {picture.height}, {path.stat().st_size:,} bytes")


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, help="folder of the runs")
    parser.add_argument(
        "--to", type=Path, default=Path("docs/images"), help="folder of the pictures"
    )
    parser.add_argument("--browser", default=shutil.which("chromium"), help="path of chromium")
    arguments = parser.parse_args()
    with served(arguments.runs) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=arguments.browser, args=["--no-sandbox"]
        )
        for shot in (*SHOTS, None):
            context = browser.new_context(
                viewport={"width": shot.width if shot else 1100, "height": 900},
                color_scheme="dark" if shot and shot.dark else "light",
                reduced_motion="reduce",
            )
            page = context.new_page()
            content = look(page, address, shot) if shot else try_models(page, address)
            name = shot.name if shot else "serve_try"
            save(content, arguments.to / f"{name}.png", narrow=bool(shot and shot.width < 500))
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
