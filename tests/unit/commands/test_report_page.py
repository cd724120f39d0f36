"""The page of ``tandem report`` in a real browser, used as a person would."""

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tandem.commands.arguments import as_overrides
from tandem.commands.report import report

Compose = Callable[..., Any]
WriteRun = Callable[..., Path]

pytestmark = [
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed"),
    pytest.mark.slow,
]

HELPERS = """
const lines = () => [...byId("board").querySelectorAll("tr[data-id]")];
const order = () => lines().map((line) => rowOf(line.dataset.id).name);
const board = () => lines().map((line) => [...line.cells].map((cell) => cell.innerText.trim()));
const press = (key) => byId("board").querySelector(`[data-key="${key}"]`).click();
const fire = (element, event) => element.dispatchEvent(new Event(event));
const put = (id, value, event) => { byId(id).value = value; fire(byId(id), event); };
const type = (text) => put("filter", text, "input");
const chosen = () => chosenRows().map((row) => row.name);
const open = (address) => { history.replaceState(null, "", address); start(); };
const traces = () => chosenRows().flatMap(tracesOf);
const seen = {};
"""
END = """
seen.overflow = document.documentElement.scrollWidth - innerWidth;
seen.loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
seen.failure = byId("failure").textContent;
document.body.replaceChildren(make("pre", { id: "seen" }, JSON.stringify(seen)));
"""


@pytest.fixture
def use_page(compose_config: Compose, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Report a folder, run a script in the page and return what it wrote into ``seen``."""

    def use(folder: Path, script: str, width: int = 1200) -> dict[str, Any]:
        names = as_overrides([str(folder)])
        path = report(compose_config("report", f"output={tmp_path}/report.html", *names))
        uses = f"<script>{HELPERS}{script}{END}</script></body>"
        path.write_text(path.read_text().replace("</body>", uses))
        browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
        browser += [f"--window-size={width},800", f"--user-data-dir={tmp_path}/profile"]
        browser.append(path.as_uri())
        done = subprocess.run(browser, capture_output=True, text=True, timeout=300, check=True)
        (text,) = re.findall(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
        seen: dict[str, Any] = json.loads(html.unescape(text))
        assert seen["loaded"] == []
        assert seen["failure"] == ""
        assert seen["overflow"] <= 0
        return seen

    return use


def test_comparing_runs(use_page: Any, write_run: WriteRun) -> None:
    for right, encoder in enumerate(["gru", "gru", "lstm", "lstm"]):
        folder = write_run(f"run{right}", right=right, encoder=encoder, hidden_size=right + 2)
    (write_run("stopped", encoder="lstm") / "run.json").unlink()
    seen = use_page(
        folder.parent,
        """
        seen.start = order(); seen.chosen = chosen();
        seen.shares = byId("importance").innerText;
        press("test/loss"); seen.loss = order();
        press("test/loss"); seen.lossDown = order();
        press("encoder"); seen.encoder = order();
        type("encoder=lstm hidden_size>4"); seen.filtered = order();
        type("nonsense=1"); seen.message = byId("filter-message").textContent;
        type("state!=unfinished"); byId("choose-shown").click();
        seen.pairs = byId("pairs").innerText;
        seen.differences = byId("differences").innerText;
        seen.samples = byId("samples").innerText;
        """,
    )
    best_first = ["run3", "run2", "run1", "run0"]
    assert seen["start"] == [*best_first, "stopped"]
    assert seen["chosen"] == best_first
    # Two scores lie 50 / 3 beside the mean of each encoder, so 1 - 1 / 5 * 3 / 2 is explained.
    assert "encoder\n70 %" in seen["shares"]
    assert seen["loss"] == [*best_first, "stopped"]
    assert seen["lossDown"] == [*best_first[::-1], "stopped"]
    assert seen["encoder"] == ["run0", "run1", "run2", "run3", "stopped"]
    assert seen["filtered"] == ["run3"]
    assert seen["message"] == "No run has the key nonsense."
    assert "+100.00 p < 0.001" in seen["pairs"]
    assert "hidden_size\t2\t3\t4\t5" in seen["differences"]
    assert "<script>alert(1)</script>" in seen["samples"]


def keep_rows(folder: Path, count: int) -> None:
    """Leave the first test rows alone."""
    path = folder / "test.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:count]))


def test_a_ceiling_is_said(use_page: Any, write_run: WriteRun) -> None:
    path = write_run("limited") / "run.json"
    write_run("free")
    record = json.loads(path.read_text())
    record["references"] = {"test": {"ceilings": {"test/wer": 3.14159, "test/exact_match": 90}}}
    path.write_text(json.dumps(record))
    script = 'byId("choose-shown").click(); seen.details = byId("details").innerText;'
    details = use_page(path.parents[1], script)["details"]
    assert details.count("Its tokenizer cannot write every reference as it stands; ") == 1
    assert "as close as it can write score test/wer 3.14, test/exact_match 90.00." in details


def test_only_comparable_runs_are_ranked(use_page: Any, write_run: WriteRun) -> None:
    folder = write_run("one", right=1).parent
    write_run("two", right=2)
    write_run("two again", right=2)
    keep_rows(write_run("part", right=3, trainer={"limit_test_batches": 1}), 1)
    keep_rows(write_run("other rows", right=3, dataset={"size": 5}), 2)
    seen = use_page(
        folder,
        """
        seen.one = board().map((cells) => cells.slice(0, 3));
        seen.reason = byId("board").querySelector(".excluded").title;
        byId("choose-shown").click(); seen.details = byId("details").innerText;
        const best = [...byId("board").querySelectorAll(".best")];
        seen.best = best.map((cell) => rowOf(cell.parentElement.dataset.id).name);
        put("set", EVERY_SET, "change");
        seen.all = board().map((cells) => cells.slice(0, 2));
        seen.titles = [...byId("board").querySelectorAll(".set")].map((line) => line.innerText);
        seen.matrix = byId("importance").innerText;
        seen.latex = asLatex();
        """,
    )
    ranked = [["1", "two"], ["1", "two again"], ["3", "one"], ["\N{EN DASH}", "part"]]
    assert [cells[:2] for cells in seen["one"]] == ranked
    assert seen["one"][3][2].split() == ["finished", "not", "ranked"]
    assert seen["reason"] == "scored on a part of the split (trainer.limit_test_batches=1)"
    assert f"Not ranked by test scores: {seen['reason']}." in seen["details"]
    assert set(seen["best"]) == {"two", "two again"}
    assert seen["all"] == [*ranked, ["1", "other rows"]]
    assert seen["titles"] == ["toy, 3 test rows", "toy, size=5, 2 test rows"]
    assert "choose one" in seen["matrix"]
    assert "part$^\\dagger$ & " in seen["latex"]
    assert f"% not ranked: part: {seen['reason']}" in seen["latex"]
    assert r"\multicolumn" in seen["latex"]


def test_a_bookmark_keeps_runs_and_columns(use_page: Any, write_run: WriteRun) -> None:
    for right, name in enumerate(["b", "c", "a, new & one"]):
        folder = write_run(name, right=right, hidden_size=right)
    seen = use_page(
        folder.parent,
        """
        open("#run=c&columns=command,hidden_size&sort=run&curve=val/loss&logy=1&smoothing=0.5");
        seen.chosen = chosen(); seen.order = order();
        seen.columns = shownColumns().map((one) => one.key);
        byId("columns").open = true; drawChooser();
        const box = (key) => byId("columns-list").querySelector(`[value="${key}"]`);
        box("test/loss").click(); box("command").click();
        byId("choose-shown").click();
        seen.address = location.hash;
        open(location.hash);
        seen.again = [chosen(), shownColumns().map((one) => one.key), view.logY, view.smoothing];
        byId("choose-none").click(); open(location.hash); seen.none = chosen();
        open("#run=gone&run=b"); seen.gone = chosen();
        const paper = () => getComputedStyle(document.body).backgroundColor;
        put("theme", "dark", "change"); seen.dark = [paper(), chartLayout().paper_bgcolor];
        put("theme", "light", "change"); seen.light = [paper(), chartLayout().paper_bgcolor];
        """,
        width=390,
    )
    assert seen["chosen"] == ["c"]
    assert seen["order"] == ["a, new & one", "b", "c"]
    assert seen["columns"] == ["", "run", "hidden_size", "command"]
    assert "run=c" in seen["address"]
    every = ["a, new & one", "b", "c"]
    assert seen["again"] == [every, ["", "run", "hidden_size", "test/loss"], True, 0.5]
    assert seen["none"] == []
    assert seen["gone"] == ["b"]
    assert seen["dark"] == ["rgb(20, 24, 30)"] * 2
    assert seen["light"] == ["rgb(255, 255, 255)"] * 2


def test_means_over_seeds_and_exports(use_page: Any, write_run: WriteRun) -> None:
    for seed, right in enumerate([1, 2, 3]):
        folder = write_run(f"seed{seed}", right=right, seed=seed)
        (folder / "metrics.csv").write_text(
            f"step,val/loss,train/tokens,train/seconds\n0,{right},10,1\n4,{right + 2},50,5\n"
        )
    write_run("other", right=0, seed=0, hidden_size=9)
    seen = use_page(
        folder.parent,
        """
        open("#seeds=mean&columns=test/exact_match&curve=val/loss&x=tokens");
        seen.board = board();
        byId("choose-best").click();
        const [band, line] = traces();
        Object.assign(seen, { x: line.x, y: line.y, band: band.y });
        view.smoothing = 0.5; seen.smooth = traces()[1].y;
        byId("export-open").click(); seen.csv = byId("export-text").value;
        put("export-format", "latex", "change"); seen.latex = byId("export-text").value;
        open("#seeds=each&run=seed1"); seen.single = [order(), chosen(), traces().length];
        """,
    )
    assert seen["board"] == [
        ["1", "seed0 and 2 more", "66.67 ± 33.33 (3)"],
        ["2", "other", "0.00 [0.00, 0.00]"],
    ]
    assert (seen["x"], seen["y"]) == ([10, 50], [2, 4])
    assert seen["band"] == [3, 5, 3, 1]
    assert seen["smooth"] == pytest.approx([2, 2 + 4 / 3])
    head, first, second = seen["csv"].splitlines()
    score = "test/exact_match"
    assert head == f"#,run,{score},{score} deviation,{score} runs,test set,not ranked"
    assert first.startswith("1,seed0 and 2 more,66.66666666666667,33.33333333333333")
    assert first.endswith(',3,"toy, 3 test rows",')
    assert second == '2,other,0,,1,"toy, 3 test rows",'
    assert r"seed0 and 2 more & \textbf{66.67} {\small $\pm$ 33.33} \\" in seen["latex"]
    assert r"run & test/exact\_match \\" in seen["latex"]
    assert seen["single"] == [["seed2", "seed1", "seed0", "other"], ["seed1"], 1]


def test_a_hostile_run_beside_a_good_one(use_page: Any, write_run: WriteRun) -> None:
    folder = write_run("good", right=3)
    record = {"metrics": {"__proto__": 1, "toString": 2, "test/exact_match": 0, "constructor": 3}}
    bad = write_run("bad", **{"__proto__": 1, "toString": {"valueOf": 2}, "hidden_size": "x"})
    (bad / "run.json").write_text(json.dumps(record))
    empty = write_run("empty")
    (empty / "config.yaml").write_text("")
    (empty / "run.json").write_text("{}")
    seen = use_page(
        folder.parent,
        """
        byId("choose-shown").click(); seen.order = order();
        setColumns(columnGroups().flatMap(([, keys]) => keys)); seen.columns = board()[0].length;
        put("seeds", "mean", "change");
        for (const name of modes.keys()) put("metric", name, "change");
        byId("export-open").click(); seen.csv = byId("export-text").value;
        seen.states = byId("counts").textContent;
        """,
    )
    assert sorted(seen["order"]) == ["bad", "empty", "good"]
    assert seen["columns"] > 10
    assert seen["states"] == "2 finished, 1 broken"
    assert len(seen["csv"].splitlines()) == 4
