"""A report of a run that was really trained."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tandem.commands.report import report


def test_report_of_a_trained_run(
    copied_run: Path, compose_command: Callable[..., Any], tmp_path: Path
) -> None:
    cfg = compose_command("report", f"folders=[{tmp_path}]", f"output={tmp_path}/report.html")
    page = report(cfg).read_text()
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    data = json.loads(text)
    (run,) = data["runs"]
    assert (run["name"], run["state"], run["notes"]) == ("copied", "finished", [])
    assert run["parts"] == {
        "dataset": "reverse",
        "encoder": "gru",
        "decoder": "gru",
        "attention": "additive",
    }
    assert run["intervals"].keys() == {"test/exact_match", "test/chrf"}
    for name, (low, high) in run["intervals"].items():
        assert low <= run["metrics"][name] <= high
    assert {"train/loss", "val/loss", "val/exact_match"} <= run["curves"].keys()
    assert [one["main"] for one in data["sets"]] == ["test/exact_match"]
    assert len(run["samples"]) == len(data["samples"]) > 0
