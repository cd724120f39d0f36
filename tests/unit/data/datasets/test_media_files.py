"""Files with texts in tables: one table or several, which splits they have, what is refused."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets import media_files
from tandem.data.datasets.file_splits import make_file_splits
from tandem.data.file_columns import FileEntry

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes ``{path: content}`` files and returns their folder."""

    def _write(files: dict[str, str]) -> Path:
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8")
        return tmp_path

    return _write


def load(data_dir: Path, **changes: Any) -> DatasetDict:
    options = {
        **{"table": None, "train": "auto", "validation": "auto", "test": "auto"},
        **{"split_column": None, "group": "auto", "seed": 0, "file": "file_name"},
        **{"target": "text", "folder": None, "ending": "", "delimiter": None, "quote": "auto"},
        **{"header": "auto", "rest": "error", "comment": None, "strip": False},
        "on_bad_example": "error",
    }
    return media_files(data_dir=str(data_dir), **{**options, **changes})


def names(data: DatasetDict) -> dict[str, list[str]]:
    return {
        split: [Path(source["path"]).name for source in rows["source"]]
        for split, rows in data.items()
    }


def refusal(data_dir: Path, **changes: Any) -> str:
    with pytest.raises(InputError) as caught:
        load(data_dir, **changes)
    return str(caught.value).replace(str(data_dir), "F")


def split_folder(split: str, speakers: str) -> dict[str, str]:
    """A split of one recording for each letter, with the letter as its speaker."""
    files = [f"{split[:2]}{place}.wav" for place in range(len(speakers))]
    rows = [f"{file},text of {file},{who}\n" for file, who in zip(files, speakers, strict=True)]
    table = "file_name,text,speaker\n" + "".join(rows)
    return {f"{split}/metadata.csv": table} | {f"{split}/{file}": file for file in files}


def test_a_folder_for_each_split(write: Write) -> None:
    folder = write(split_folder("train", "ab") | split_folder("dev", "c"))
    data = load(folder)
    assert data["train"][:] == {
        "source": [{"path": f"{folder}/train/tr{n}.wav", "bytes": None} for n in (0, 1)],
        "target": ["text of tr0.wav", "text of tr1.wav"],
    }
    assert names(data)["validation"] == ["de0.wav"]
    assert set(data) == {"train", "validation"}
    assert names(load(folder, train="dev", validation="train"))["train"] == ["de0.wav"]


def test_shares_keep_speakers_apart(write: Write) -> None:
    folder = write(split_folder("train", "aabbccdd"))
    data = load(folder, validation=0.2, test=0.3)
    sizes = {name: len(split) for name, split in data.items()}
    assert sizes == {"train": 2, "validation": 2, "test": 4}  # whole speakers, of two each
    people = [{int(name[2]) // 2 for name in split} for split in names(data).values()]
    assert len(people[0] | people[1] | people[2]) == sum(map(len, people))


def test_too_few_speakers_to_keep_apart(write: Write) -> None:
    folder = write(split_folder("train", "aaaaabbbbb"))
    sizes = {name: len(rows) for name, rows in load(folder, validation=0.1, test=0.1).items()}
    assert sizes == {"train": 8, "validation": 1, "test": 1}
    assert "in 2 groups" in refusal(folder, validation=0.1, test=0.1, group="speaker")


def test_shares_keep_copies_together(write: Write) -> None:
    folder = write(split_folder("train", "abcdefgh"))
    for number, content in enumerate("wxyzwxyz"):
        (folder / "train" / f"tr{number}.wav").write_text(content)
    data = load(folder, validation=0.25, test=None, group=None)
    one, other = names(data)["validation"]
    assert int(other[2]) - int(one[2]) == 4


TABLE = {f"w/{n}.wav": str(n) for n in range(9)} | {
    "all.csv": "file_name,text,fold\n"
    + "".join(f"w/{n}.wav,t{n},{['train', 'dev', 'test'][n % 3]}\n" for n in range(9))
}


def test_one_table_with_a_column_of_splits(write: Write) -> None:
    folder = write(TABLE)
    expected = {"train": ["0.wav", "3.wav", "6.wav"], "validation": ["1.wav", "4.wav", "7.wav"]}
    found = names(load(folder, split_column="fold"))
    assert found == {**expected, "test": ["2.wav", "5.wav", "8.wav"]}
    assert names(load(folder / "all.csv", split_column="fold", test=None)) == expected
    other = load(folder, split_column="fold", train="test", validation=0.4, test=None)
    assert {split: len(rows) for split, rows in other.items()} == {"train": 1, "validation": 2}
    assert refusal(folder, split_column="fold", validation="valid") == (
        "dataset.validation=valid is no split of the table, which has train, dev, test; correct "
        "it, or name the column of splits with dataset.split_column."
    )


def test_one_table_whose_paths_name_the_splits(write: Write) -> None:
    files = {f"{split}/{n}.png": f"{split}{n}" for split in ("train", "val") for n in range(3)}
    rows = "".join(f"{name},x\n" for name in files)
    folder = write(files | {"metadata.csv": f"file_name,text\n{rows}"})
    sizes = {split: len(rows) for split, rows in load(folder).items()}
    assert sizes == {"train": 3, "validation": 3}
    write({"metadata.csv": f"file_name,text\n{rows}other.png,x\n", "other.png": "o"})
    assert sum(len(split) for split in load(folder).values()) == 7  # so the folders mean nothing


def test_tables_beside_each_other(write: Write) -> None:
    table = "file_name\ttext\n../w/0.wav\ta\t\n"
    folder = write(TABLE | {"my/train.tsv": table.replace("\t\n", "\n"), "my/valid.tsv": table})
    assert refusal(folder / "my").startswith("F/valid.tsv line 2 has 3 columns where 2 are needed")
    write({"my/valid.tsv": 'file_name\ttext\nw/1.wav\t"b\n'})
    data = load(folder, train="my/train.tsv", validation="my/valid.tsv")
    assert names(data) == {"train": ["0.wav"], "validation": ["1.wav"]}
    assert data["validation"]["target"][:] == ['"b']


def test_columns_by_number(write: Write) -> None:
    folder = write({f"wavs/L{n}.wav": str(n) for n in range(4)})
    write({"all.csv": "".join(f'L{n}|raw "{n}|Norm {n}\n' for n in range(4))})
    options = {"file": 0, "target": 2, "folder": "wavs", "ending": ".wav", "delimiter": "|"}
    data = load(folder, **options, quote=None, validation=0.25, test=None)
    assert sorted(data["train"]["target"][:] + data["validation"]["target"][:]) == [
        f"Norm {n}" for n in range(4)
    ]
    assert refusal(folder, **{**options, "target": "text"}) == (
        "dataset.file=0, dataset.target=text must all be column names, or all be numbers, as of "
        "files without a row of names."
    )


def test_several_texts_of_one_file(write: Write) -> None:
    table = "file_name,text\na.png,one\nb.png,x\na.png,two\n"
    splits = {f"{split}/metadata.csv": table for split in ("train", "test")}
    files = {f"{split}/{name}.png": name for split in ("train", "test") for name in "ab"}
    data = load(write(splits | files), validation=0.5)
    assert data["test"]["references"][:] == [["one", "two"], ["x"]]
    assert data["test"]["target"][:] == ["one", "x"]
    assert len(data["train"]) + sum(map(len, data["validation"]["references"][:])) == 3
    with pytest.raises(InputError, match="The test split is empty"):
        make_file_splits({"train": [FileEntry(Path("a"), ["x"], "")], "test": []})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            "file_name,transcription\na.wav,one\n",
            "F/train/metadata.csv line 2 has no column `text` (its columns are file_name, "
            "transcription); set dataset.target to one of them.",
        ),
        (
            "file,text\na.wav,one\n",
            "F/train/metadata.csv line 2 has no column `file_name` (its columns are file, text); "
            "set dataset.file to one of them.",
        ),
        ("file_name,text\na.wav,one,two\n", "F/train/metadata.csv line 2 has 3 columns where 2 ar"),
        ('file_name,text\na.wav,"one\n', "The table F/train/metadata.csv cannot be read at line 2"),
        (
            "file_name,text\nc.wav,one\n",
            "F/train/metadata.csv line 2 names the file F/train/c.wav,",
        ),
        ("file_name,text\na.wav, \n", "F/train/metadata.csv line 2 has an empty text for a.wav, b"),
        (
            "file_name,text\n",
            "The file F/train/a.wav has no row in the table of F/train (1 of 1 files have none), "
            "but every file needs a text; add it, remove the file or set data.on_bad_example=skip.",
        ),
    ],
)
def test_bad_tables(write: Write, table: str, message: str) -> None:
    folder = write({"train/metadata.csv": table, "train/a.wav": "", "train/._a.wav": ""})
    assert refusal(folder).startswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": "."}, "The folder F/. must have metadata.csv or metadata.jsonl, or Kaldi's wav"),
        (
            {"table": "al.csv"},
            "There is neither a table F/al.csv nor a folder with one (F has all.csv); correct "
            "dataset.data_dir or dataset.table.",
        ),
        (
            {"train": "all.csv", "test": "t.csv"},
            "There is neither a table F/t.csv nor a folder with one (F has all.csv); correct "
            "dataset.data_dir or dataset.test; dataset.test=0.1 takes a tenth of the training "
            "examples.",
        ),
        (
            {"split_column": "x"},
            "F/all.csv line 2 has no column `x` (its columns are file_name, te",
        ),
        ({"on_bad_example": "x"}, "dataset.on_bad_example (x) must be one of error, skip."),
    ],
)
def test_what_is_not_there(write: Write, changes: dict[str, Any], message: str) -> None:
    assert refusal(write(TABLE), **changes).startswith(re.sub(r"/\. ", " ", message))


def test_two_tables_in_a_folder(write: Write) -> None:
    folder = write({"metadata.csv": "", "metadata.jsonl": ""})
    assert refusal(folder).startswith("The folder F must have one of the files metadata.csv and m")
    (folder / "metadata.csv").rename(folder / "b.csv")
    (folder / "metadata.jsonl").rename(folder / "a.jsonl")
    assert refusal(folder, split_column="x").startswith(
        "dataset.split_column=x needs one table, but the folder F "
    )


def test_skip(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    table = "file_name,text\na.wav,one\nb.wav,two\nc.wav,\nf.wav,three\n"
    files = dict.fromkeys(("train/a.wav", "train/c.wav", "train/d.wav", "train/e.wav"), "")
    folder = write({"train/metadata.csv": table, "train/f.wav": "f", **files})
    name = "tandem.data.datasets.file_splits"
    with caplog.at_level(logging.INFO, logger=name):
        data = load(folder, on_bad_example="skip", validation=0.5)
    messages = [record.getMessage() for record in caplog.records if record.name == name]
    assert sorted(name for split in names(data).values() for name in split) == ["a.wav", "f.wav"]
    assert messages[0] == (
        f"Left out 3 of 5 files that have no row in the table of {folder}/train, the first of them "
        f"{folder}/train/c.wav."
    )
    assert messages[1].startswith(
        f"Skipped 2 of 4 rows; the first: {folder}/train/metadata.csv line 3 names the file"
    )
    write({"train/metadata.csv": "file,text\na.wav,one\n"})
    assert "has no column `file_name`" in refusal(folder, on_bad_example="skip")
