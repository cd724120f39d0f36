"""Sets of recordings in the layouts that their users have on disk, or from the Hub."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Audio, Features, Value

from tandem.core.errors import InputError
from tandem.data.datasets import an4, common_voice, fsdd, librispeech

HUB_SPLITS = {
    "clean": ("train.100", "validation", "test"),
    "other": ("train.500",),
    "fr": ("train", "validation", "test"),
    "en": ("train",),
}
COLUMNS = {"fr": "sentence"}
Fill = Callable[[dict[str, str]], Path]


@pytest.fixture
def fill(tmp_path: Path) -> Fill:
    """Return a function that writes ``{path: content}`` files and returns their folder."""

    def _fill(files: dict[str, str]) -> Path:
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        return tmp_path

    return _fill


def folder_of(split: str, speakers: str) -> dict[str, str]:
    """A split of one recording for each letter, with the letter as its speaker."""
    files = [f"{split[:2]}{place}.wav" for place in range(len(speakers))]
    rows = [f"{file},text of {file},{who}\n" for file, who in zip(files, speakers, strict=True)]
    table = "file_name,transcription,speaker\n" + "".join(rows)
    return {f"{split}/metadata.csv": table} | {f"{split}/{file}": "" for file in files}


def names(split: Any) -> list[str]:
    return [Path(file["path"]).name for file in split["source"][:]]


def digits(numbers: list[int], folder: str = "recordings") -> dict[str, str]:
    return {f"{folder}/7_theo_{number}.wav": "" for number in numbers}


def test_fsdd(fill: Fill) -> None:
    data = fsdd(data_dir=str(fill(digits([0, 4, 5, 9, 10, 49]))), on_bad_example="error")
    assert set(data["train"]["target"][:]) == {"seven"}
    assert {name: sorted(names(split)) for name, split in data.items()} == {
        "train": ["7_theo_10.wav", "7_theo_49.wav"],
        "validation": ["7_theo_5.wav", "7_theo_9.wav"],
        "test": ["7_theo_0.wav", "7_theo_4.wav"],
    }


def test_fsdd_other_names(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(fill(digits([0, 5, 10]) | {"recordings/seven.wav": ""}))
    with pytest.raises(InputError, match=r"The name of .*/seven.wav must be such as 7_jackson_32"):
        fsdd(data_dir=folder, on_bad_example="error")
    assert len(fsdd(data_dir=folder, on_bad_example="skip")["test"]) == 1
    monkeypatch.delenv("TANDEM_DATA", raising=False)
    with pytest.raises(InputError, match="The dataset fsdd is not downloaded by itself; get it"):
        fsdd(data_dir=None, on_bad_example="error")


def test_an4(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(folder_of("train", "aaabbbccc") | folder_of("test", "d"))
    data = an4(data_dir=str(folder), validation=0.1, seed=0, strip=False, on_bad_example="error")
    assert [len(split) for split in data.values()] == [6, 3, 1]
    monkeypatch.delenv("TANDEM_DATA", raising=False)
    with pytest.raises(InputError, match="The dataset an4 is not downloaded by itself; get it"):
        an4(data_dir=None, validation=0.1, seed=0, strip=False, on_bad_example="error")


def chapter(part: str, text: str = "ONE DAY") -> dict[str, str]:
    place = f"{part}/84/121/84-121"
    return {
        f"{place}.trans.txt": f"84-121-0000 {text}\n84-121-0001 IT'S\n",
        f"{place}-0000.flac": "",
        f"{place}-0001.flac": "",
    }


def load_librispeech(folder: Path | None, **changes: str) -> Any:
    options = {"train": "train-clean-100", "validation": "dev-clean", "test": "test-clean"}
    return librispeech(
        data_dir=None if folder is None else str(folder),
        **{**options, "strip": False, "on_bad_example": "error", **changes},
    )


def test_librispeech_folders(fill: Fill) -> None:
    parts = ("train-clean-100", "train-other-500", "dev-clean", "test-clean")
    folder = fill({name: text for part in parts for name, text in chapter(part).items()})
    data = load_librispeech(folder, train="train-clean-100+train-other-500")
    assert data["train"]["target"][:] == ["one day", "it's"] * 2
    assert data["train"][2]["source"]["path"] == (
        f"{folder}/train-other-500/84/121/84-121-0000.flac"
    )
    assert len(data["test"]) == 2


def test_librispeech_bad_input(fill: Fill) -> None:
    folder = fill(chapter("train-clean-100", text=" "))
    with pytest.raises(InputError, match=r"trans.txt line 1 has an empty text for 84-121-0000"):
        load_librispeech(folder)
    with pytest.raises(InputError, match=r"The folder .*/dev-clean must have files such as 84/121"):
        load_librispeech(folder, on_bad_example="skip")
    with pytest.raises(
        InputError, match=r"dataset.train \(train\) must be one of train-clean-100,"
    ):
        load_librispeech(folder, train="train")


def voices(part: str, sentence: str = 'He said "no".') -> dict[str, str]:
    table = f"client_id\tpath\tsentence\tage\nx\t{part}.mp3\t{sentence}\t\n"
    return {f"fr/{part}.tsv": table, f"fr/clips/{part}.mp3": ""}


def load_common_voice(folder: Path | None, **changes: Any) -> Any:
    options = {
        **{"path": "nobody/common_voice", "language": "fr", "train": "train"},
        **{"validation": "dev", "test": "test", "seed": 0, "strip": False},
        "on_bad_example": "error",
    }
    place = None if folder is None else str(folder)
    return common_voice(data_dir=place, **{**options, **changes})


def test_common_voice_archives(fill: Fill) -> None:
    folder = fill(voices("train") | voices("dev") | voices("test"))
    data = load_common_voice(folder)
    assert data["validation"][:] == {
        "source": [{"path": f"{folder}/fr/clips/dev.mp3", "bytes": None}],
        "target": ['He said "no".'],
    }
    assert load_common_voice(folder / "fr")["test"][:] == load_common_voice(folder)["test"][:]


def test_shares_of_common_voice_keep_readers_apart(fill: Fill) -> None:
    rows = "".join(f"c{n // 3}\t{n}.mp3\tsaid {n}\t\n" for n in range(12))
    table = f"client_id\tpath\tsentence\tage\n{rows}"
    folder = fill({"fr/validated.tsv": table} | {f"fr/clips/{n}.mp3": str(n) for n in range(12)})
    data = load_common_voice(folder, train="validated", validation=0.2, test=None)
    readers = [
        {int(name.removesuffix(".mp3")) // 3 for name in names(data[split])} for split in data
    ]
    assert [len(who) for who in readers] == [3, 1]
    assert not readers[0] & readers[1]


def test_common_voice_bad_input(fill: Fill) -> None:
    folder = fill(voices("train") | voices("test") | {"fr/dev.tsv": "path\ttext\na\tb\n"})
    with pytest.raises(InputError, match=r"dev.tsv line 2 has no column `sentence` \(its columns"):
        load_common_voice(folder)
    (folder / "fr/dev.tsv").unlink()
    with pytest.raises(
        InputError, match=r"There is neither a table .*/fr/dev.tsv nor a folder with"
    ):
        load_common_voice(folder)


@pytest.fixture
def on_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A set in the Hub's files and types: Parquet, a column of Audio, two rows a split."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.delenv("TANDEM_DATA", raising=False)
    audio, text = Audio(sampling_rate=16000), Value("string")
    listed = ["configs:"]
    for name, splits in HUB_SPLITS.items():
        (tmp_path / "hub" / name).mkdir(parents=True)
        listed += [f"- config_name: {name}", "  data_files:"]
        for split in splits:
            texts = pa.array([f"{name} {split}".upper(), " "])
            rows = pa.array([{"bytes": b"raw", "path": "a.flac"}] * 2)
            kinds = Features({"audio": audio, COLUMNS.get(name, "text"): text})
            table = pa.Table.from_arrays([rows, texts], schema=kinds.arrow_schema)
            pq.write_table(table, tmp_path / "hub" / name / f"{split}.parquet")
            listed += [f"  - split: {split}", f"    path: {name}/{split}.parquet"]
    (tmp_path / "hub" / "README.md").write_text("\n".join(["---", *listed, "---", ""]))
    return str(tmp_path / "hub")


def test_librispeech_of_the_hub(on_hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("tandem.data.datasets.librispeech"), "HUB", on_hub)
    data = load_librispeech(None, on_bad_example="skip", train="train-clean-100+train-other-500")
    assert data["train"][:] == {
        "source": [{"path": "a.flac", "bytes": b"raw"}] * 2,
        "target": ["clean train.100", "other train.500"],
    }
    assert data["test"]["target"][:] == ["clean test"]
    assert not isinstance(data["test"].features["source"], Audio)
    with pytest.raises(InputError, match=r"Row 2 of .*/hub split train.100 lacks its recording"):
        load_librispeech(None)


def test_common_voice_of_the_hub(on_hub: str) -> None:
    options: dict[str, Any] = {"path": on_hub, "on_bad_example": "skip"}
    data = load_common_voice(None, **options)
    assert data["validation"][:] == {
        "source": [{"path": "a.flac", "bytes": b"raw"}],
        "target": ["FR VALIDATION"],
    }
    with pytest.raises(InputError, match=r"hub split train has no column `sentence` \(its columns"):
        load_common_voice(None, language="en", **options)
    with pytest.raises(InputError, match=r"dataset.validation=0.1 is a share of training recordin"):
        load_common_voice(None, validation=0.1, **options)


def test_the_hub_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.delenv("TANDEM_DATA", raising=False)
    with pytest.raises(InputError) as caught:
        load_common_voice(None)
    text = str(caught.value)
    assert text.startswith(
        "The set nobody/common_voice (configuration fr, split train) could not be loaded ("
    )
    assert text.endswith("; check the network, or set dataset.data_dir to a folder that has it.")


def test_real_sets(real_sets: Path) -> None:
    data = fsdd(data_dir=str(real_sets / "fsdd"), on_bad_example="error")
    assert [len(split) for split in data.values()] == [2400, 300, 300]
    data = an4(
        data_dir=str(real_sets / "an4"), validation=0.1, seed=0, strip=False, on_bad_example="error"
    )
    assert [len(split) for split in data.values()] == [845, 103, 130]
    who = [{name.split("-")[1] for name in names(split)} for split in data.values()]
    assert len(who[0] | who[1] | who[2]) == sum(map(len, who))
