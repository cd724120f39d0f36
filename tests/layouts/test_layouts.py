"""Every command of docs/guides/data.md reads a tiny set in the layout that it is written for."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
from datasets import DatasetDict
from omegaconf import OmegaConf

from tandem.commands.train import train
from tandem.config.instantiate import check_values, make

ROOT = Path(__file__).parents[2]
OWN = ("csv", "tsv", "json", "parallel", "translations")
"""Data sets of texts of one's own."""
LACKING = {
    "split_column": ("parallel", "translations"),
    "group": ("parallel",),
    "references": ("translations",),
    "streaming": ("translations",),
    "begin": ("imagefolder",),
    "duration": ("imagefolder",),
}
"""Which of them have no such option."""
TEXT_LAYOUTS = ("lines", "tables", "translations")
DOCUMENT = (ROOT / "docs/guides/data.md").read_text(encoding="utf-8")


def commands():
    """The commands of the tables, by the first part of the path that they read."""
    found = re.findall(r"^\|.*`tandem (train [^`]+)`", DOCUMENT, re.MULTILINE)
    return {re.search(r"dataset\.(?:data_dir|path)=(\w+)", line)[1]: line for line in found}


def text_layouts():
    """What writes a set of texts and returns what is in it, by name."""
    return {
        name: value
        for file in TEXT_LAYOUTS
        for name, value in runpy.run_path(str(Path(__file__).with_name(f"{file}.py"))).items()
        if getattr(value, "__doc__", None) and callable(value) and not isinstance(value, type)
    }


def media_layouts():
    """Sets of pictures and recordings, by the names of the functions that write them."""
    file = ROOT / "tests/unit/data/media_layouts.py"
    layouts = runpy.run_path(str(file))["MEDIA_LAYOUTS"].values()
    return {layout.write.__name__: layout for layout in layouts}


COMMANDS, TEXTS, MEDIA = commands(), text_layouts(), media_layouts()


@pytest.fixture
def written(tmp_path, monkeypatch, compose_config):
    """Write a layout into a folder of its name, and compose the command that reads it."""

    def call(name, write, *overrides):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("TANDEM_DATA", raising=False)
        monkeypatch.setenv("TANDEM_CACHE", str(tmp_path / "cache"))
        facts = write(tmp_path / name)
        config = compose_config(*shlex.split(COMMANDS[name]), *overrides)
        check_values(config)
        return facts, config

    return call


def load(config):
    """The splits, which lie in memory."""
    splits = make(config.dataset)
    assert isinstance(splits, DatasetDict)
    return splits


def test_each_layout_has_a_command_and_each_command_a_layout():
    assert TEXTS.keys().isdisjoint(MEDIA)
    assert sorted(COMMANDS) == sorted([*TEXTS, *MEDIA])


@pytest.mark.parametrize("name", sorted(TEXTS.keys() & COMMANDS.keys()))
def test_texts(name, written):
    (sizes, (source, target), *references), config = written(name, TEXTS[name])
    splits = load(config)
    assert {split: rows.num_rows for split, rows in splits.items()} == sizes
    rows = [row for split in splits.values() for row in split if row["source"] == source]
    assert target in [row["target"] for row in rows]
    for texts in references:
        assert rows[0]["references"] == texts


@pytest.mark.parametrize("name", sorted(MEDIA.keys() & COMMANDS.keys()))
def test_media(name, written):
    layout = MEDIA[name]
    splits = load(written(name, layout.write)[1])
    assert {split: rows.num_rows for split, rows in splits.items()} == layout.sizes
    assert layout.text in splits["train"]["target"]


SMALL = ("hidden_size=8", "trainer=cpu", "trainer.max_steps=1", "logger=csv", "run.folder=run")


def test_a_layout_trains(written):
    _, config = written("wmt", TEXTS["wmt"], *SMALL)
    assert "test/bleu" in train(config)


def documented_defaults():
    """The defaults in the tables of options: by key, and by option where the heads name it."""
    for heads, body in re.findall(r"^\| option \| (.*) \|\n\|[-|]+\n((?:\|.*\n)+)", DOCUMENT, re.M):
        named = re.findall(r"of `(\w+)`", heads)
        for row in body.splitlines():
            key, *defaults = re.findall(r"`([^`]+)`", row)
            names = named or [""]
            yield key.removeprefix("dataset."), dict(zip(names, defaults, strict=False))


@pytest.mark.parametrize(("key", "defaults"), list(documented_defaults()))
def test_defaults(key, defaults):
    for option in OWN if "" in defaults else defaults:
        config = OmegaConf.load(ROOT / f"conf/dataset/{option}.yaml").dataset
        value = OmegaConf.to_container(config).get(key, KeyError)
        if value is KeyError:
            assert option in LACKING[key]
            continue
        shown = {None: "null", "\t": r"\t", "": '""'}.get(value, str(value))
        assert shown == defaults.get(option, defaults.get("")), option
