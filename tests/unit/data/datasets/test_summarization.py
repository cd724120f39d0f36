"""Summarization sets: folders in every format, the Hub's own layout, and what is missing."""

import json
import logging
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tandem.config.folders import config_folder
from tandem.core.errors import InputError
from tandem.data.datasets import debian_synopsis, hub_or_folder

HUB_SETS = ("cnn_dailymail", "xsum", "samsum", "aeslc")
SPLITS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep away from the network and the home folder."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)


def options(name: str, **changes: Any) -> dict[str, Any]:
    """The keys of a dataset's config."""
    content = yaml.safe_load((config_folder() / "dataset" / f"{name}.yaml").read_text())
    spec = {
        **content["dataset"],
        "strip": False,
        "streaming": False,
        "on_bad_example": "error",
        **changes,
    }
    assert spec.pop("_target_") == "tandem.data.datasets.hub_or_folder"
    return spec


def write(path: Path, row: dict[str, Any]) -> None:
    """Write a table of one row in the format that the path's ending names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.table({key: [value] for key, value in row.items()}), path)
    elif path.suffix == ".csv":
        path.write_text(",".join(row) + "\n" + ",".join(f'"{value}"' for value in row.values()))
    else:
        path.write_text(json.dumps(row) + "\n")


@pytest.mark.parametrize("name", HUB_SETS)
@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_folders(name: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = options(name)
    for split in SPLITS:
        row = {"id": "1", spec["source"]: f"a text, of {split}", spec["target"]: f"sum {split}"}
        write(tmp_path / "sets" / name / f"{split}.{ending}", row)
    expected = {
        split: {"source": [f"a text, of {split}"], "target": [f"sum {split}"]} for split in SPLITS
    }
    data = hub_or_folder(**{**spec, "data_dir": str(tmp_path / "sets" / name)})
    assert {split: part[:] for split, part in data.items()} == expected
    monkeypatch.setenv("TANDEM_DATA", str(tmp_path / "sets"))
    data = hub_or_folder(**spec)
    assert {split: part[:] for split, part in data.items()} == expected


def test_a_copy_of_the_repository_with_several_configurations(tmp_path: Path) -> None:
    configs = []
    for version in ("1.0.0", "3.0.0"):
        for split in SPLITS:
            row = {"article": f"{version} {split}", "highlights": "h", "id": "1"}
            write(tmp_path / version / f"{split}-00000-of-00001.parquet", row)
        files = [{"split": split, "path": f"{version}/{split}-*"} for split in SPLITS]
        configs.append({"config_name": version, "data_files": files})
    (tmp_path / "README.md").write_text(f"---\n{yaml.safe_dump({'configs': configs})}---\n# Card\n")
    data = hub_or_folder(**options("cnn_dailymail", data_dir=str(tmp_path)))
    assert data["test"][:] == {"source": ["3.0.0 test"], "target": ["h"]}


def test_an_empty_folder_and_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TANDEM_DATA", raising=False)
    with pytest.raises(InputError) as caught:
        hub_or_folder(**options("xsum", data_dir=str(tmp_path)))
    assert str(caught.value).startswith(
        f"The set dataset.path={tmp_path} (dataset.name=null, dataset.train=train) could not be "
    )
    with pytest.raises(InputError) as caught:
        hub_or_folder(**options("xsum"))
    assert str(caught.value).startswith("The set dataset.path=EdinburghNLP/xsum (dataset.name=null")
    assert str(caught.value).endswith("and the network, or use a folder with its files.")


def test_skipping_empty_texts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for split in SPLITS:
        lines = [{"dialogue": "a", "summary": "b"}, {"dialogue": None, "summary": "c"}]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / f"{split}.jsonl").write_text(text)
    spec = options("samsum", data_dir=str(tmp_path), on_bad_example="skip")
    with caplog.at_level(logging.INFO, logger="tandem"):
        data = hub_or_folder(**spec)
    assert data["train"][:] == {"source": ["a"], "target": ["b"]}
    assert sum(text.startswith("Skipped 1 of 2 examples") for text in caplog.messages) == 3


def test_debian_synopsis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split in SPLITS:
        row = {"package": "p", "document": f"about {split}", "summary": split}
        write(tmp_path / "debian_synopsis" / f"{split}.jsonl", row)
    data = debian_synopsis(
        data_dir=str(tmp_path / "debian_synopsis"),
        strip=True,
        streaming=False,
        on_bad_example="error",
    )
    assert data["validation"][:] == {"source": ["about validation"], "target": ["validation"]}
    monkeypatch.delenv("TANDEM_DATA", raising=False)
    with pytest.raises(InputError) as caught:
        debian_synopsis(data_dir=None, strip=True, streaming=False, on_bad_example="error")
    assert str(caught.value) == (
        "The set debian_synopsis has no public home, so its files must be on disk; set "
        "dataset.data_dir to their folder, or TANDEM_DATA to the folder that has "
        "debian_synopsis/train.jsonl."
    )
    monkeypatch.setenv("TANDEM_DATA", str(tmp_path))
    assert debian_synopsis(data_dir=None, strip=True, streaming=False, on_bad_example="error")[
        "test"
    ]["target"][:] == ["test"]


def test_real_set(real_sets: Path) -> None:
    data = debian_synopsis(
        data_dir=str(real_sets / "debian_synopsis"),
        strip=True,
        streaming=False,
        on_bad_example="error",
    )
    assert [part.num_rows for part in data.values()] == [35_586, 1_992, 1_871]
