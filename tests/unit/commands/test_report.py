"""``tandem report`` on run folders in their real layout, and its page in a real browser."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from tandem.commands import report as reporting
from tandem.commands.arguments import as_overrides
from tandem.commands.report import report
from tandem.core.errors import InputError
from tandem.metrics import Metric
from tandem.reports.outputs import CACHE

Compose = Callable[..., Any]
WriteRun = Callable[..., Path]


class Longest(Metric):
    """A metric of somebody else's."""

    signature = "longest"
    directions: ClassVar = {"exact_match": "max"}

    def counts(self, hypotheses: list[str], references: list[list[str]]) -> Any:
        return np.array([[float(len(text)), 1.0] for text in hypotheses])

    def scores(self, sums: Any) -> dict[str, float]:
        return {"exact_match": float(sums[0] / sums[1])}


@pytest.fixture
def make_report(compose_config: Compose, tmp_path: Path) -> Callable[..., str]:
    """Write a report of the folders; return the page."""

    def call(*folders: Path, overrides: tuple[str, ...] = ()) -> str:
        names = as_overrides([str(folder) for folder in folders])
        cfg = compose_config("report", f"output={tmp_path}/report.html", *names, *overrides)
        return report(cfg).read_text()

    return call


def page_data(page: str) -> dict[str, Any]:
    """The data that stands in a page."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    data: dict[str, Any] = json.loads(text)
    return data


def test_intervals_and_pairs(make_report: Any, write_run: WriteRun) -> None:
    folder = write_run("a", right=1).parent
    write_run("b", right=3)
    data = page_data(make_report(folder))
    first, second = data["runs"]
    low, high = first["intervals"]["test/exact_match"]
    assert 0 <= low < 100 / 3 < high <= 100
    assert second["intervals"]["test/exact_match"] == [100, 100]
    (group,) = data["pairs"]["test/exact_match"]
    assert (group["runs"], group["rows"]) == ([0, 1], 3)
    assert data["samples"][2]["source"] == "e <script>alert(1)</script>"
    shown = {place: one["text"] for place, one in first["samples"].items()}
    assert shown == {"0": "b a", "1": "wrong", "2": "wrong"}


def test_resamples_are_kept_until_outputs_change(
    make_report: Any, write_run: WriteRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run("a", right=1)
    before = page_data(make_report(folder))
    asked: list[int] = []
    resample = reporting.resample
    monkeypatch.setattr(
        reporting, "resample", lambda *given: asked.append(len(given[0])) or resample(*given)
    )
    assert page_data(make_report(folder))["runs"] == before["runs"]
    assert asked == []
    outputs = folder / "test.jsonl"
    outputs.write_text("".join(outputs.read_text().splitlines(keepends=True)[:2]))
    make_report(folder)
    assert asked == [2]
    (folder / CACHE).write_bytes(b"damaged")
    make_report(folder)
    assert asked == [2, 2]


def test_broken_runs_are_listed(make_report: Any, write_run: WriteRun) -> None:
    folder = write_run("a-good").parent
    (write_run("b-stopped") / "run.json").unlink()
    (write_run("c-outputs") / "test.jsonl").write_text('{"source": 1}\n')
    write_run("d-own", metric={"own": {"_target_": "my_package.Metric"}})
    runs = page_data(make_report(folder))["runs"]
    assert [run["state"] for run in runs] == ["finished", "unfinished", "finished", "finished"]
    assert runs[0]["notes"] == []
    assert runs[2]["notes"][0].startswith("test.jsonl cannot be read: line 1 has")
    assert "my_package.Metric" in runs[3]["notes"][0]
    assert runs[3]["intervals"] == {}


def test_trusted_metrics_are_resampled(make_report: Any, write_run: WriteRun) -> None:
    folder = write_run("own", metric={"own": {"_target_": f"{__name__}.Longest"}})
    page = make_report(folder, overrides=(f"trusted=[{__name__.partition('.')[0]}]",))
    (run,) = page_data(page)["runs"]
    low, high = run["intervals"]["test/exact_match"]
    assert 3 <= low < high <= 5  # outputs have three and five letters


def test_open(make_report: Any, write_run: WriteRun, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(reporting.webbrowser, "open", opened.append)
    make_report(write_run("a"))
    assert opened == []
    make_report(write_run("b"), overrides=("open=true",))
    assert len(opened) == 1
    assert re.fullmatch(r"file:///.*/report\.html", opened[0])


def test_watch_reads_what_changed(
    compose_config: Compose, write_run: WriteRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run("a", right=1)
    page, reads, sizes = tmp_path / "report.html", [], []
    read_run = reporting.read_run
    monkeypatch.setattr(
        reporting, "read_run", lambda path: reads.append(path.name) or read_run(path)
    )

    def changes(seconds: float) -> None:
        assert seconds == 10
        sizes.append(len(page_data(page.read_text())["runs"]))
        match len(sizes):
            case 1:
                write_run("b", right=2)
            case 2:
                with (folder / "metrics.csv").open("a") as file:
                    file.write("\n9,2,1.0\n")
            case 4:
                raise KeyboardInterrupt

    monkeypatch.setattr(reporting.time, "sleep", changes)
    cfg = compose_config("report", f"folders=[{folder.parent}]", f"output={page}", "watch=true")
    assert report(cfg) == page
    assert reads == ["a", "b", "a"]
    assert sizes == [1, 2, 2, 2]
    assert page_data(page.read_text())["reload"] == 10


def test_a_page_that_cannot_be_written(
    compose_config: Compose, write_run: WriteRun, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    cfg = compose_config("report", f"folders=[{write_run('a')}]", f"output={tmp_path}/file/x.html")
    with pytest.raises(InputError, match=r"The file .*x.html cannot be written .*another output="):
        report(cfg)


def test_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lr=1").mkdir()
    assert as_overrides(
        ["outputs/", "lr=1", "output=x.html", "--open", "--watch", "--cfg=job"]
    ) == [
        "output=x.html",
        "open=true",
        "watch=true",
        "--cfg=job",
        'folders=[outputs/,"lr=1"]',
    ]
    assert as_overrides(["folders=[a]"]) == ["folders=[a]"]
