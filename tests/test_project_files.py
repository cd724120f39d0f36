"""What stands around the program agrees with it: citation, changelog, templates and workflow."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

import tandem

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def minor(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_the_version_is_one() -> None:
    citation = read("CITATION.cff")
    assert tandem.__version__ == PROJECT["version"] == citation["version"]
    assert citation["license"] == PROJECT["license"]
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.search(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert first is not None
    assert first[1] in ("Unreleased", PROJECT["version"])


def test_the_workflow_runs_what_the_package_is_for() -> None:
    workflow = read(".github/workflows/ci.yml")
    matrix = workflow["jobs"]["run"]["strategy"]["matrix"]
    steps = workflow["jobs"]["run"]["steps"]
    assert any(step.get("run") == "bash .ci/run" for step in steps)
    assert all(re.search(r"@[0-9a-f]{40}$", step["uses"]) for step in steps if "uses" in step)
    start = "Programming Language :: Python :: 3."
    claimed = {line.split(" :: ")[-1] for line in PROJECT["classifiers"] if line.startswith(start)}
    assert claimed
    assert claimed <= set(matrix["python"])
    least = PROJECT["requires-python"].removeprefix(">=")
    assert min(matrix["python"], key=minor) == least
    assert {one["python"] for one in matrix["include"]} <= set(matrix["python"])


def test_templates_are_forms() -> None:
    for name in ("bug", "feature"):
        form = read(f".github/ISSUE_TEMPLATE/{name}.yml")
        assert {"name", "description", "body"} <= form.keys()
        fields = [field for field in form["body"] if field["type"] != "markdown"]
        assert len({field["id"] for field in fields}) == len(fields)
        assert all(field["attributes"]["label"] for field in fields)
    assert (ROOT / ".github/pull_request_template.md").exists()
    assert "SECURITY.md" in (ROOT / ".github/ISSUE_TEMPLATE/bug.yml").read_text(encoding="utf-8")
    assert (ROOT / "SECURITY.md").exists()
