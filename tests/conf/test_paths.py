"""Every key that names a file or a folder has the user's own folder for ``~``."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from tandem.config import launch
from tandem.config.catalogue import config_groups, view
from tandem.config.instantiate import check_values
from tandem.config.ranges import RANGES, find_range, meant_values

Compose = Callable[..., DictConfig]
COMMANDS = ("train", "evaluate", "generate", "score", "export", "serve", "report", "sweep")
NOT_PATHS = {
    "dataset.file": "a column",
    "tokenizer.file": "a name in the checkpoint's folder",
}
"""Keys that are called as paths are, and what they are instead."""
ABOUT_PATHS = re.compile(r"(?:^|[._])(folders?|files?|path|dir|uri|table)$")


def all_keys() -> set[str]:
    """The keys of every command, with every option of every group."""
    choices = [[f"{group}={one}"] for group, options in config_groups().items() for one in options]
    views = [view(command) for command in COMMANDS]
    views += [view("train", chosen) for chosen in choices]
    return {key for one in views for key, entry in one.entries.items() if not entry.is_section}


KEYS = all_keys()
PATHS = sorted(
    {key for key in KEYS if (allowed := find_range(key)) and allowed.is_path}
    | {key for key, allowed in RANGES.items() if allowed.is_path and "*" not in key}
)


def nested(key: str, value: Any) -> Any:
    for name in reversed(key.split(".")):
        value = {name: value}
    return value


def test_what_is_called_as_a_path_is_one() -> None:
    called = {key for key in KEYS if ABOUT_PATHS.search(key)}
    assert {"run.folder", "file", "folders", "dataset.path", "logger.csv.folder"} <= called
    assert called - set(PATHS) == NOT_PATHS.keys()


@pytest.mark.parametrize("key", PATHS)
def test_the_home_folder_is_filled_in(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    written = ["~/a b", "~/${now:%Y}/x"] if key == "folders" else "~/a/${run.name}"
    expected = str(written).replace("~", "/home/me")
    ((changed, meant),) = dict(meant_values(nested(key, written))).items()
    assert (changed, str(meant)) == (key, expected)
    assert not list(meant_values(nested(key, meant)))
    for other in ("a/~/b", "./~", "~nobody-is-called-this/a", "~$draft"):
        value = [other] if key == "folders" else other
        assert not list(meant_values(nested(key, value)))


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "run.folder=~/a~b=c", "init_from='~/${seed}'"],
        ["train", "dataset=csv", "dataset.data_dir=~/a", "dataset.source=a", "dataset.target=b"],
        ["train", "logger=mlflow", "logger.mlflow.artifacts=~/a"],
        ["train", "dataset=g2p", "dataset.data_dir='${oc.env:ELSEWHERE}/x'"],
        ["train", "+dataset.lexicons=[~/a]", "dataset._target_=mine.load"],
        ["evaluate", "run=~/a", "data_dir='~'"],
        ["generate", "run=['~/a',b]", "input=~/a", "output=~/a"],
        ["score", "run=~/a", "source=~/a", "target=~/b"],
        ["report", "folders=['~/a','~/b']", "output=~/a"],
        ["sweep", "file=~/a", "folder=~/b"],
        ["train", "--multirun", "run.folder='~/a','~/b'"],
        ["train", "--config-dir=~/", "run.folder=a"],
    ],
    ids=" ".join,
)
def test_commands_get_whole_paths(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ELSEWHERE", "~/sets")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///~/mlflow.db")
    (tmp_path / "home").mkdir()
    command, *words = [word.replace("[~/a]", "['~/a']") for word in arguments]
    texts: list[str] = []
    launch.run(command, words, lambda cfg, _: texts.append(OmegaConf.to_yaml(cfg, resolve=True)))
    assert texts
    for text in texts:
        assert "~/" not in text
        assert str(tmp_path / "home") in text or words[0].startswith("--config-dir")


def test_a_folder_with_an_odd_name_stays_itself(
    composed: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELSEWHERE", r"~/${x}")
    monkeypatch.setenv("HOME", "/home/me")
    cfg = composed("train", r"run.folder='~/\${x}/\\\${y}'", "init_from='${oc.env:ELSEWHERE}'")
    check_values(cfg)
    check_values(cfg)
    assert cfg.run.folder == r"/home/me/${x}/\${y}"
    assert cfg.init_from == "/home/me/${x}"
    assert cfg.callbacks.best.folder == r"/home/me/${x}/\${y}/checkpoints"
