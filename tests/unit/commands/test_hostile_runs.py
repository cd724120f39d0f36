"""A report of one good run folder beside one of each kind of damaged or hostile ones."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tandem.commands.arguments import as_overrides
from tandem.commands.report import report
from tandem.reports.outputs import CACHE

Compose = Callable[..., Any]
WriteRun = Callable[..., Path]
Damage = Callable[[Path], object]


def replaced(name: str, make: Damage) -> Damage:
    """Put something else in the place of a file."""

    def damage(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        make(path)

    return damage


def text(name: str, content: str | bytes) -> Damage:
    raw = content.encode() if isinstance(content, str) else content
    return replaced(name, lambda path: path.write_bytes(raw))


def in_config(line: str) -> Damage:
    """Add a line to the config, which stays readable."""

    def damage(folder: Path) -> None:
        with (folder / "config.yaml").open("a") as file:
            file.write(f"{line}\n")

    return damage


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def circle(path: Path) -> None:
    path.symlink_to(path)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(300 * 2**30)


def bomb(levels: int) -> str:
    """YAML whose aliases grow ten-fold with each level."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


def output(**changed: Any) -> str:
    return json.dumps({"source": "a", "references": ["a"], "hypothesis": "a", **changed}) + "\n"


FILES = ("config.yaml", "run.json", "metrics.csv", "test.jsonl")
IN_PLACE: dict[str, Damage] = {
    "pipe": os.mkfifo,
    "endless device": endless,
    "link to itself": circle,
    "link to nothing": lambda path: path.symlink_to("nothing"),
    "directory": Path.mkdir,
    "300 GB of nothing": sparse,
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 40),
    "UTF-16": lambda path: path.write_bytes("step: ä\n".encode("utf-16")),
}
"""What lies under the name of any file: each must be noted."""

NOTED: dict[str, Damage] = {
    "config empty": text("config.yaml", ""),
    "config list": text("config.yaml", "[1, 2]"),
    "config NUL": text("config.yaml", b"a: \0b\n"),
    "config deep": text("config.yaml", "[" * 100_000),
    "config deeper than a page": text("config.yaml", "{a: " * 200 + "1" + "}" * 200),
    "config aliases": text("config.yaml", bomb(12)),
    "config holds itself": text("config.yaml", "a: &a [*a]"),
    "config tag": text("config.yaml", "a: !!python/object:os.system {}"),
    "config bad number": text("config.yaml", "a: !!int ''"),
    "record list": text("run.json", "[]"),
    "record deep": text("run.json", '{"a":' * 100_000),
    "record metrics": text("run.json", '{"metrics": [1]}'),
    "record long number": text("run.json", '{"metrics": {"a": ' + "1" * 5000 + "}}"),
    "curves text": text("metrics.csv", "step,val/loss\n1,oops\n"),
    "curves without steps": text("metrics.csv", "a,b\n1,2\n"),
    "curves ragged": text("metrics.csv", "step,val/loss\n1,2,3,4\n"),
    "curves one cell": text("metrics.csv", f"step,val/loss\n1,{'9' * 200_000}\n"),
    "outputs empty": text("test.jsonl", ""),
    "outputs number": text("test.jsonl", "5\n"),
    "outputs deep": text("test.jsonl", "[" * 100_000),
    "outputs hypothesis": text("test.jsonl", output(hypothesis=5)),
    "outputs references": text("test.jsonl", output(references="a")),
    "outputs no references": text("test.jsonl", output(references=[])),
    "outputs reference": text("test.jsonl", output(references=[None])),
    "outputs long": text("test.jsonl", output(hypothesis="a" * 200_000)),
    "metric of no class": in_config("metric: {a: {_target_: tandem.metrics.BLEU, tokenize: [1]}}"),
    "metric of a date": in_config("metric: {a: {_target_: tandem.metrics.BLEU, b: 2020-01-01}}"),
}
"""What must be noted."""

BORNE: dict[str, Damage] = {
    "outputs half a letter": text("test.jsonl", output(hypothesis="\ud800", source="\ud800")),
    "config odd values": in_config(
        "odd: {inf: .inf, nan: .nan, date: 2020-01-01, raw: !!binary aGk=, many: !!set {a}, "
        f"1: 2, null: 3, big: 0x{'f' * 6000}, long: {'x' * 100_000}, list: [.inf, 2020-01-01]}}"
    ),
    "run text": in_config("run: mine"),
    "tags number": in_config("run: {tags: 5}"),
    "metric text": in_config("metric: bleu"),
    "monitor list": in_config("monitor: [val/loss]"),
    "trainer text": in_config("trainer: auto"),
    "record values": text(
        "run.json",
        '{"metrics": {"a": null, "test/b": 1e999, "__proto__": 1, "toString": 2, "c": [1]}, '
        '"parameters": "many", "training_seconds": NaN, "command": [1], "why": 5, '
        '"started": 5, "steps": "ten", "epochs": -1e999, "ended": "\\ud800"}',
    ),
    "curves infinite": text("metrics.csv", "step,val/loss\nnan,1\ninf,2\n1,nan\n2,inf\n3,4\n"),
    "curves wide": text("metrics.csv", f"step,{','.join(map(str, range(5000)))}\n1{',2' * 5000}\n"),
    "byte order mark": text("metrics.csv", "\ufeffstep,val/loss\n1,2\n"),
    "lock pipe": replaced(".lock", os.mkfifo),
    "maps file": text("attention", "no folder"),
    "maps pipe": replaced("attention/test-0.png", os.mkfifo),
    "maps damaged": text("attention/test-0.png", b"\x89PNG\r\n\x1a\n" + bytes(100)),
    "media pipe": replaced("media/test-0.jpg", os.mkfifo),
    "kept scores pipe": replaced(CACHE, os.mkfifo),
    "kept scores folder": replaced(CACHE, Path.mkdir),
    "kept scores": replaced(CACHE, lambda path: np.savez(path, key=np.array([{}]))),
    "linked in a circle": lambda folder: (folder / "again").symlink_to(folder),
}
"""What the report of the run does without, or shows as it can."""


def test_one_bad_folder_of_each_kind(
    compose_config: Compose, write_run: WriteRun, tmp_path: Path, capfd: Any
) -> None:
    kinds = {
        f"{what}, {name}": replaced(name, make) for name in FILES for what, make in IN_PLACE.items()
    }
    good = write_run("good", right=1)
    for name, damage in {**kinds, **NOTED, **BORNE}.items():
        damage(write_run(name.replace("/", "-"), right=1))
    write_run(os.fsdecode(b"half a letter \xff"))
    names = as_overrides([str(good.parent)])
    cfg = compose_config("report", f"output={tmp_path}/report.html", *names)
    page = report(cfg).read_bytes().decode()
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    runs = {run["name"]: run for run in json.loads(found)["runs"]}
    assert runs.keys() == {"good", "half a letter ?", *kinds, *NOTED, *BORNE}
    assert runs["good"]["state"] == "finished"
    assert runs["good"]["notes"] == []
    for name in (*kinds, *NOTED):
        assert runs[name]["notes"], name
        assert all(len(note) < 600 for note in runs[name]["notes"]), name
    for name in BORNE:
        assert runs[name]["state"] == "finished", name
    for name in kinds:
        unusable = name.endswith(("config.yaml", "run.json"))
        assert runs[name]["state"] == ("broken" if unusable else "finished"), name
    assert len(page) < 12 * 2**20
    assert "Traceback" not in capfd.readouterr().err
