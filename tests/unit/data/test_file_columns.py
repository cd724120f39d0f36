"""What rows about files mean: which file, which texts, whose, of which split, which part."""

from pathlib import Path
from typing import Any

import pytest

from tandem.core.errors import InputError
from tandem.data.file_columns import FileColumns, FileEntry
from tandem.data.rows import Record


def entry_of(
    values: dict[Any, Any], folder: Path, *roots: Path, **options: Any
) -> FileEntry | InputError:
    columns = FileColumns(**{"file": "file", "target": "text", **options})
    return columns.entry(Record("t.csv line 2", values), [*roots, folder], folder)


def entry(values: dict[Any, Any], folder: Path, *roots: Path, **options: Any) -> FileEntry:
    made = entry_of(values, folder, *roots, **options)
    assert isinstance(made, FileEntry), made
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.wav", "b.WAV", "part/a.wav", "c_mic1.wav", "7.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "ending", "file"),
    [
        ("a.wav", "", "a.wav"),
        ("./part/a.wav", "", "part/a.wav"),
        (r"part\a.wav", "", "part/a.wav"),
        ("{folder}/a.wav", "", "a.wav"),
        ("$data_root/part/a.wav", "", "part/a.wav"),
        ("${data_root}/part/a.wav", "", "part/a.wav"),
        ("{data_root}/part/a.wav", "", "part/a.wav"),
        ("a", ".wav", "a.wav"),
        ("a", "wav", "a.wav"),
        ("b.WAV", ".wav", "b.WAV"),
        ("c", "_mic1.wav", "c_mic1.wav"),
        (7, ".wav", "7.wav"),
    ],
)
def test_the_file_that_a_name_means(folder: Path, name: str | int, ending: str, file: str) -> None:
    name = name.replace("{folder}", str(folder)) if isinstance(name, str) else name
    made = entry({"file": name, "text": "x"}, folder, ending=ending)
    assert made.file == folder / file


def test_folders_are_tried_one_after_the_other(folder: Path) -> None:
    assert entry({"file": "a.wav", "text": "x"}, folder, folder / "part").file == (
        folder / "part" / "a.wav"
    )
    assert entry({"file": "b.WAV", "text": "x"}, folder, folder / "part").file == folder / "b.WAV"
    missing = entry_of({"file": "c.wav", "text": "x"}, folder, folder / "part")
    assert str(missing) == (
        f"t.csv line 2 names the file {folder}/part/c.wav, which does not exist, nor does "
        f"{folder}/c.wav; correct the table, dataset.folder or dataset.ending, or set "
        "data.on_bad_example=skip."
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"file": "a.wav"},
            "t.csv line 2 has no column `text` (its columns are file); set dataset.",
        ),
        (
            {"text": "a"},
            "t.csv line 2 has no column `file` (its columns are text); set dataset.file",
        ),
        ({"file": "a.wav", "text": " "}, "t.csv line 2 has an empty text for a.wav, but every exa"),
        ({"file": "a.wav", "text": []}, "t.csv line 2 has an empty text for a.wav, but every exam"),
        ({"file": "a.wav", "text": 3}, "The value of `text` at t.csv line 2 must be text or a lis"),
        ({"file": " ", "text": "x"}, "t.csv line 2 names no file in the column `file`, but every "),
        ({"file": None, "text": "x"}, "t.csv line 2 names no file in the column `file`, but every"),
        ({"file": "~me", "text": "x"}, "t.csv line 2 names the file "),
        ({"file": "long " * 999, "text": "x"}, "t.csv line 2 names the file "),
        ({"file": "part", "text": "x"}, "t.csv line 2 names the file "),
    ],
)
def test_rows_that_cannot_be_used(folder: Path, values: dict[str, Any], message: str) -> None:
    made = entry_of(values, folder)
    assert isinstance(made, InputError)
    assert str(made).startswith(message)


def test_texts(folder: Path) -> None:
    row = {"file": "a.wav", "one": " A ", "two": ["B", "", None, " c"]}
    assert entry(row, folder, target="one").texts == [" A "]
    assert entry(row, folder, target=["one", "two"]).texts == [" A ", "B", " c"]
    assert entry(row, folder, target=["two", "one"], strip=True).texts == ["B", "c", "A"]
    assert entry(row, folder, target="one", lowercase=True).texts == [" a "]
    with pytest.raises(InputError, match=r"dataset.target must name at least one column, but is"):
        FileColumns(file="file", target=[])


def test_spaces_around_names_of_columns_and_files(folder: Path) -> None:
    """As in SpeechBrain's older tables and Flickr30k's."""
    row = {"file": "a.wav ", " text": " A"}
    assert entry(row, folder) == FileEntry(folder / "a.wav", [" A"], "t.csv line 2")


def test_groups_and_splits(folder: Path) -> None:
    row = {"file": "a.wav", "text": "x", "speaker_id": 4, "part": "dev"}
    assert entry(row, folder).group == ""
    assert entry(row, folder, group="auto").group == "4"
    assert entry(row, folder, group="part").group == "dev"
    assert entry(row, folder, split="part").split == "dev"
    refused = entry_of(row, folder, group="speaker")
    assert str(refused).endswith("; set dataset.group to one of them.")


@pytest.mark.parametrize(
    ("name", "split"),
    [("train/a.wav", "train"), ("./val/a.wav", "val"), (r"Test\a.wav", "Test"), ("a.wav", "")],
)
def test_a_path_may_say_the_split(folder: Path, name: str, split: str) -> None:
    path = folder / name.replace("\\", "/")
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert entry({"file": name, "text": "x"}, folder).split == split


def test_parts_of_recordings(folder: Path) -> None:
    row = {"file": "a.wav", "text": "x", "offset": "0.5", "duration": 1.25}
    columns = {"begin": "offset", "duration": "duration"}
    assert entry(row, folder, **columns).source == f"{folder}/a.wav#t=0.5,1.75"
    assert entry(row, folder).source == f"{folder}/a.wav"
    whole = {key: value for key, value in row.items() if key != "offset"}
    assert entry(whole, folder, **columns).source == f"{folder}/a.wav"
    for value in ("x", -1, "nan"):
        refused = entry_of({**row, "offset": value}, folder, **columns)
        assert str(refused).startswith(
            "The value of `offset` at t.csv line 2 must be a number of s"
        )
