"""Hub sets: read from a local folder in the Hub's layout, and every wrong name."""

import logging
from pathlib import Path
from typing import Any

import datasets
import pytest
import yaml

from tandem.config.folders import config_folder
from tandem.core.errors import InputError
from tandem.data.datasets import hub

LINES = '{"t": {"de": "%s", "en": "b"}, "n": 3, "r": ["b", "c"]}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a set of two splits, and keep the library's cache out of the home folder."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    (tmp_path / "set").mkdir()
    for split in ("train", "test"):
        (tmp_path / "set" / f"{split}.jsonl").write_text(LINES % split + LINES % " ")
    return tmp_path / "set"


def load(folder: Path | str, **changes: Any) -> Any:
    """Load with the usual names."""
    content = yaml.safe_load((config_folder() / "dataset" / "hub.yaml").read_text())
    options = {
        **content["dataset"],
        **{"path": str(folder), "source": "t.de", "target": "t.en", "train": "train"},
        **{"validation": "test[:50%]", "test": "test", "strip": False, "streaming": False},
        **{"on_bad_example": "skip", **changes},
    }
    del options["_target_"]
    return hub(**options)


def test_columns_inside_records(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="tandem"):
        data = load(folder, references="r")
    assert {name: part[:] for name, part in data.items()} == {
        name: {"source": [source], "target": ["b"], "references": [["b", "c"]]}
        for name, source in (("train", "train"), ("validation", "test"), ("test", "test"))
    }
    assert caplog.messages[0] == (
        f"Skipped 1 of 2 examples; the first: The source at {folder} split train row 2 is empty, "
        "but every example needs a source and a target; correct the file or set "
        "dataset.on_bad_example=skip."
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"on_bad_example": "error"},
            "The source at {folder} split train row 2 is empty, but every example needs a source "
            "and a target; correct the file or set dataset.on_bad_example=skip.",
        ),
        (
            {"source": "de"},
            "{folder} split train has no column `de` (its columns are t.de, t.en, n, r); set "
            "dataset.source to one of them.",
        ),
        (
            {"target": "n"},
            "The column `n` of {folder} split train must hold text, but holds int64; set "
            "dataset.target to another.",
        ),
        (
            {"target": "t.de"},
            "The columns t.de, t.de are not all different, but dataset.source is never an output, "
            "and no reference is named twice; correct dataset.source, dataset.target or "
            "dataset.references.",
        ),
        (
            {"validation": "dev"},
            "The set dataset.path={folder} (dataset.name=null, dataset.validation=dev) could not "
            "be loaded (Unknown split \"dev\". Should be one of ['train', 'test']); check the "
            "three names, or take a tenth of the training rows with dataset.validation=0.1.",
        ),
    ],
)
def test_wrong_names(folder: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        load(folder, **changes)
    assert str(caught.value) == message.format(folder=folder)


def test_shares_of_a_split(folder: Path) -> None:
    (folder / "train.jsonl").write_text("".join(LINES % f"text {n % 8}" for n in range(16)))
    data = load(folder, validation=0.25, test=None)
    assert {name: len(split) for name, split in data.items()} == {"train": 12, "validation": 4}
    assert not set(data["train"]["source"]) & set(data["validation"]["source"])


def test_set_out_of_reach(folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        load("nobody-such/such-set")
    assert str(caught.value).startswith(
        "The set dataset.path=nobody-such/such-set (dataset.name=null, dataset.train=train) could "
        "not be loaded ("
    )
    assert str(caught.value).endswith(
        "); check the three names and the network, or use a folder with its files."
    )


def test_empty_split(folder: Path) -> None:
    with pytest.raises(InputError, match="The validation split has no example that can be used"):
        load(folder, validation="test[50%:]")  # its only row is blank


def test_no_bars_and_the_setting_stays(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = datasets.are_progress_bars_disabled()
    load(folder)
    assert datasets.are_progress_bars_disabled() == before
    assert capfd.readouterr().err == ""
