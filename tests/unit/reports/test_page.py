"""What is compared, and the page that shows it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from plotly.offline import get_plotlyjs

from tandem.core.directions import LOSS_DIRECTIONS, Direction
from tandem.reports import comparison as comparing
from tandem.reports.comparison import comparison, telling, varying
from tandem.reports.outputs import Outputs, Sample
from tandem.reports.page import render
from tandem.reports.pictures import MAX_WIDTH, MEDIA_LIMIT, as_data_uri
from tandem.reports.runs import Run, find_runs, shorten
from tandem.reports.samples import MAX_MAPS, MAX_TEXT, SampleRows

WriteRun = Callable[..., Path]


def run(**settings: Any) -> Run:
    tags = [f"{part}={settings.pop(part)}" for part in ("encoder", "dataset") if part in settings]
    return Run(Path("x"), config={"run": {"tags": tags}}, settings=settings)


def test_varying_keys_leave_out_repetitions() -> None:
    first = run(**{"lr": 1, "size": 8, "attention.size": 8, "decoder.attention.size": 8})
    second = run(**{"lr": 1, "size": 9, "attention.size": 8, "decoder.attention.size": 8})
    third = run(**{"lr": 1, "size": 9, "attention.size": 9, "decoder.attention.size": 9})
    assert varying([first, second, third]) == ["size", "attention.size"]


def test_telling_keys_leave_out_what_a_choice_implies() -> None:
    runs = [
        run(**{"encoder": "gru", "encoder.layers": 1, "size": 8, "inner.size": 8, "opt": "Adam"}),
        run(**{"encoder": "cnn", "encoder.layers": 4, "size": 8, "inner.size": 8, "opt": "Adam"}),
        run(**{"encoder": "cnn", "encoder.layers": 4, "size": 9, "opt": "SGD", "opt.nesterov": 1}),
    ]
    assert telling(runs, varying(runs)) == ["size", "opt"]
    runs.append(run(**{"encoder": "cnn", "encoder.layers": 6, "size": 8, "opt": "Adam"}))
    assert telling(runs, varying(runs)) == ["encoder.layers", "size", "opt"]


def test_the_main_metric_is_what_runs_monitor(write_run: WriteRun) -> None:
    runs = find_runs([write_run("mine").parent])
    names = ["test/loss", "test/exact_match"]
    assert comparing.main_metric(runs, names, {}) == ("test/exact_match", "max")
    turned: dict[str, Direction] = {"exact_match": "min"}  # what the metric itself says counts
    assert comparing.main_metric(runs, names, turned) == ("test/exact_match", "min")
    assert comparing.main_metric(runs, ["test/loss"], LOSS_DIRECTIONS) == ("test/loss", "min")
    assert comparing.main_metric([], [], {}) == ("", "max")


def test_pairs_need_the_same_rows(write_run: WriteRun) -> None:
    folder = write_run("a", right=1).parent
    for name in ("b", "c"):
        write_run(name)
    runs = find_runs([folder])
    values = np.zeros(1000)
    sets = zip(runs, ["one", "two", "one"], strict=True)
    outputs = {
        one.folder: Outputs(name, rows=3, resampled={"exact_match": values}) for one, name in sets
    }
    groups = comparison(runs, outputs, {})["pairs"]["test/exact_match"]
    assert [group["runs"] for group in groups] == [[0, 2], [1]]
    assert groups[0]["asExtreme"] == [[], [0]]


def test_samples_of_one_test_split_stand_together() -> None:
    rows, folder = SampleRows(), Path("x")
    first, second, again = (
        Outputs("one", 1, samples=[Sample("s", ("r", "h"), text)]) for text in ("h", "g", "h")
    )
    shown = [rows.add(folder, one)[0] for one in (first, second, again)]
    assert [(one["text"], one["right"], one["number"]) for one in shown] == [
        ("h", True, 0),
        ("g", False, 1),
        ("h", True, 0),
    ]
    assert rows.add(folder, None) == {}
    rows.add(folder, Outputs("two", 1, samples=[Sample("t", ("r",), "k")]))
    assert rows.rows == [
        {"source": "s", "references": ["r", "h"]},
        {"source": "t", "references": ["r"]},
    ]


def test_whole_texts_are_compared_and_their_beginnings_shown() -> None:
    rows, long = SampleRows(), "k" * MAX_TEXT
    outputs = [
        Outputs("one", 1, samples=[Sample("t", (long + "r",), long + end)]) for end in ("r", "s")
    ]
    right, wrong = (rows.add(Path("x"), one)[0] for one in outputs)
    assert right["text"] == wrong["text"] == shorten(long + "r", MAX_TEXT)
    assert (right["right"], wrong["right"]) == (True, False)
    assert right["number"] != wrong["number"]


def test_the_page_needs_no_network_and_escapes_text() -> None:
    evil = "</script><script>alert(1)</script>"
    page = render({"runs": [{"name": evil}]}, title=evil, written="now")
    assert "alert(1)</script>" not in page
    assert "Runs in &lt;/script&gt;&lt;script&gt;alert(1)" in page
    own = page.replace(get_plotlyjs(), "")
    assert len(own) < 100_000
    assert not re.search(r"(?:src|href)\s*=|url\(|@import|https?:", own)
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert json.loads(data) == {"runs": [{"name": evil}]}


def test_pictures_become_small(tmp_path: Path) -> None:
    path = tmp_path / "map.png"
    Image.effect_noise((2000, 1000), 50).save(path)
    uri = as_data_uri(path)
    assert uri is not None
    assert uri.startswith("data:image/png;base64,")
    assert len(uri) < 300_000
    assert MAX_WIDTH == 640
    path.write_bytes(b"no picture")
    assert as_data_uri(path) is None
    assert as_data_uri(tmp_path / "none.png") is None


@pytest.mark.parametrize(("length", "ends"), [(400, "x"), (401, "…")])
def test_shorten(length: int, ends: str) -> None:
    assert shorten("x" * length, 400).endswith(ends)


def test_maps_are_of_the_best_runs_of_each_test_set(write_run: WriteRun) -> None:
    first = {"map": "test-0.png", "right": 3}
    plan: dict[str, dict[str, Any]] = {
        **{f"toy{number:02}": first for number in range(MAX_MAPS)},
        "last": {"map": "test-0.png", "right": 0},
        "speech": {"map": "val-0.png", "dataset": {"size": 1}, "monitor": {"name": "test/wer"}},
        "older": {"map": "val-epoch007-0.png", "dataset": {"size": 2}},
    }
    for name, settings in plan.items():
        kept, settings = settings["map"], {k: v for k, v in settings.items() if k != "map"}
        folder = write_run(name, **settings)
        (folder / "attention").mkdir()
        Image.new("RGB", (8, 8), (name == "speech" and "red") or "blue").save(
            folder / "attention" / kept
        )
    runs = find_runs([folder.parent])
    shown = comparison(runs, {}, {})["runs"]
    names = {run["name"] for run in shown if run["map"]}
    assert len(names) == MAX_MAPS
    assert {"speech", "older"} < names
    assert "last" not in names


def test_sources_are_embedded_within_bounds(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "media").mkdir()
    for place, name in enumerate(["a.jpg", "test-1.mp3", "test-2.exe", "test-3.jpg", "test-4.jpg"]):
        size = MEDIA_LIMIT + 1 if place == 3 else 300
        (tmp_path / "media" / name).write_bytes(bytes(size))
    rows = SampleRows()
    texts = [Sample(f"s{place}", ("r",), "h") for place in range(5)]
    rows.add(tmp_path, Outputs("one", 5, samples=texts))
    kinds = [row.get("media", "").partition(";")[0] for row in rows.rows]
    assert kinds == ["", "data:audio/mpeg", "", "", "data:image/jpeg"]
    monkeypatch.setattr("tandem.reports.samples.MAX_MEDIA", 500)
    rows = SampleRows()
    rows.add(tmp_path, Outputs("one", 5, samples=texts))
    assert [place for place, row in enumerate(rows.rows) if "media" in row] == [1]
