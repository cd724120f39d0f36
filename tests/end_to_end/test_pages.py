"""The pages of `tandem serve` in a browser: tried, looked inside, by keys, on a narrow screen."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tandem.commands.train import train
from tandem.testing.media import OVERRIDES, fill_folder

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="There is no chromium on this machine."),
]

TINY = (
    "hidden_size=16",
    "batching.max_sentences=8",
    "trainer=cpu",
    "trainer.max_epochs=1",
    "logger=csv",
    "callbacks.attention_maps.count=0",
)
TEXT = ("dataset=reverse", "dataset.size=40", "dataset.max_length=4", "dataset.symbols=5")
TRANSFORMER = ("encoder=transformer", "decoder=transformer")
RUNS = {
    "transformer": (*TEXT, *TRANSFORMER),
    "recurrent": (*TEXT, "encoder=gru", "decoder=gru", "attention=none"),
    "captioner": OVERRIDES["image"],
    "recogniser": (*OVERRIDES["audio"], *TRANSFORMER),
}
MEDIA = {"captioner": "image", "recogniser": "audio"}
LACKS = {"transformer": 0, "recurrent": 3}  # self-attention on both sides, and attention
STATIONS = 7
NARROW = {"width": 400, "height": 800}
READY = "#road[aria-busy=false] #station-beam"
START = """
from tandem.commands.cli import main
main()
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, compose_config: Callable[..., Any]) -> Path:
    """A folder of four tiny runs."""
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANDEM_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        for name, overrides in RUNS.items():
            path = [f"run.folder={folder / 'runs' / name}"]
            if name in MEDIA:
                data = fill_folder(MEDIA[name], folder / "data" / name)
                path.append(f"dataset.data_dir={data}")
            train(compose_config("train", *overrides, *TINY, *path))
    return folder / "runs"


@pytest.fixture(scope="module")
def address(runs: Path) -> Iterator[str]:
    """Where `tandem serve` answers."""
    command = [sys.executable, "-c", START, "serve", str(runs), "port=0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        try:
            assert server.stdout is not None
            lines = []
            for line in server.stdout:
                lines.append(line)
                if found := re.search(r"http://[\w.]+:\d+", line):
                    break
            assert found, "".join(lines)
            yield found[0]
        finally:
            server.terminate()
            server.communicate(timeout=20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Open a path; afterwards fail if the page complained, or asked another host."""
    complaints: list[str] = []
    contexts = []

    def complained(message: Any) -> None:
        refused = "status of 422" in message.text  # by the server, which a test may want
        if message.type in ("error", "warning") and not refused:
            complaints.append(message.text)

    def heard(request: Any) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            complaints.append(f"asked {request.url}")

    def call(path: str, **options: Any) -> Any:
        context = browser.new_context(reduced_motion="reduce", **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", complained)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", heard)
        page.goto(f"{address}{path}")
        return page

    yield call
    for context in contexts:
        context.close()
    assert not complaints


def look_inside(page: Any, model: str) -> None:
    """Look at the model's first example, or at a text."""
    page.select_option("#model", model)
    if model in MEDIA:
        page.click("#examples-fold summary")
        page.click(".example >> nth=0")
    else:
        page.fill("#source-text", "a b c")
        page.click("#form button[type=submit]")
    page.wait_for_selector(READY)


def fits(page: Any) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("model", RUNS)
def test_every_station_and_step(open_page: Callable[..., Any], model: str) -> None:
    page = open_page("/look")
    look_inside(page, model)
    assert page.locator(".station").count() == STATIONS
    positions = page.evaluate("document.querySelectorAll('.tokens li').length")
    assert positions == (0 if model in MEDIA else 4)  # with <eos>
    steps = page.locator(".chip").count()
    for step in range(steps):
        page.fill("#step", str(step + 1))
        assert page.inner_text(".step-text") == f"step {step + 1} of {steps}"
        assert page.locator(".likely").count() == 5
    look = {"captioner": ".cover", "recogniser": ".curve path", "recurrent": ".alone .heat"}
    assert page.locator(look.get(model, ".attended li")).count() >= 1
    assert page.locator(".narrow").count() == (model == "recurrent")
    assert page.locator(".tree .node.best").count() >= 2
    if model in LACKS:
        assert page.locator(".lack b").count() == LACKS[model]


def test_a_model_without_modules(open_page: Callable[..., Any]) -> None:
    """Such as exported graphs, which have neither embeddings nor layers."""

    def without(route: Any) -> None:
        record = route.fetch().json()
        parts = ("embeddings", "encoder_layers", "encoder_self_attention", "decoder_features")
        record["model"]["lacks"] |= dict.fromkeys(parts, "A sentence.")
        record["embeddings"] = None
        record["encoder"] = {"layers": [], "self_attention": None}
        for step in record["decoder"]["steps"]:
            step["features"] = None
        route.fulfill(json=record)

    page = open_page("/")
    page.route("**/inspect", without)
    page.click("#to-look")
    look_inside(page, "transformer")
    for station in ("embeddings", "encoder", "decoder"):
        assert page.inner_text(f"#station-{station} .lack:has(b)") == "Not here: A sentence."


def test_another_symbol_leads_on_and_back(open_page: Callable[..., Any]) -> None:
    page = open_page("/look#model=transformer&text=a+b+c")
    page.wait_for_selector(READY)
    own = page.inner_text(".chips")
    other = page.locator(".likely[aria-pressed=false]").first
    chosen = other.locator(".token").inner_text()
    other.click()
    page.wait_for_selector(".chip.forced")
    assert page.locator(".chip").first.inner_text() == chosen
    assert chosen in page.inner_text("#branch")
    page.click("text=Back to the model's own way")
    page.wait_for_selector("#branch", state="hidden")
    assert page.inner_text(".chips") == own


def test_walked_by_keys_alone(open_page: Callable[..., Any]) -> None:
    page = open_page("/look#model=transformer&text=a+b+c")
    page.wait_for_selector(READY)
    press = page.keyboard.press

    def tab_to(selector: str) -> None:
        for _ in range(60):
            press("Tab")
            if page.evaluate("name => document.activeElement.matches(name)", selector):
                return
        pytest.fail(f"Tab never reaches {selector}")

    tab_to(".tokens li")
    press("ArrowDown")
    assert page.locator(".tokens li[aria-selected=true]").inner_text() == "b"
    assert page.locator(".reads .marker:visible").count() >= 2
    tab_to(".head")
    press("Enter")
    assert page.locator("#enlarged").is_visible()
    assert "looks at" in page.inner_text("#enlarged [role=status]")
    press("Escape")
    tab_to("#step")
    press("ArrowRight")
    assert page.inner_text(".step-text").startswith("step 2")
    tab_to(".node")
    press("ArrowRight")
    assert "score" in page.inner_text("#station-beam [role=status]")


def test_outputs_side_by_side_and_one_symbol_after_another(open_page: Callable[..., Any]) -> None:
    page = open_page("/")
    page.check("input[value=transformer]")
    page.check("input[value=recurrent]")
    assert not page.is_checked("input[value=captioner]")
    page.fill("#source-text", "a b c")
    page.click("summary")
    for search, outputs in (("greedy", 1), ("beam", 3)):
        page.select_option("[name=search]", search)
        if search == "beam":
            page.fill("#n-best", str(outputs))
        page.click("#generate")
        page.wait_for_selector(f".hypotheses .score >> nth={2 * outputs - 1}")
    assert page.locator(".hypotheses .score").count() == 6
    page.click("text=Look inside >> nth=-1")
    page.wait_for_selector(READY)
    assert page.input_value("#source-text") == "a b c"


def test_an_error_is_the_servers_sentence(open_page: Callable[..., Any]) -> None:
    page = open_page("/")
    page.check("input[value=captioner]")
    file = {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.set_input_files("#source-file", file)
    page.click("#generate")
    sentence = page.wait_for_selector(".wrong").inner_text()
    assert re.search("picture .*; ", sentence), sentence


@pytest.mark.parametrize("model", RUNS)
def test_fits_a_narrow_screen(open_page: Callable[..., Any], model: str) -> None:
    page = open_page("/", viewport=NARROW)
    page.wait_for_selector("#models input")
    assert fits(page)
    page.click("#to-look")
    look_inside(page, model)
    assert fits(page)
