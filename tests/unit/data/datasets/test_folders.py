"""Folders with a table: every layout, and everything that can be wrong with one."""

import logging
from pathlib import Path

import pytest

from tandem.core.errors import InputError
from tandem.data.datasets.folders import FileEntry, make_file_splits, read_folder


def fill(folder: Path, table: str, *files: str, name: str = "metadata.csv") -> Path:
    """Write a table and empty files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(table, encoding="utf-8")
    for file in files:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).touch()
    return folder


def read(folder: Path, on_bad_example: str = "error") -> list[FileEntry]:
    return read_folder(folder, "text", (".wav",), on_bad_example=on_bad_example)


def message_of(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(folder)
    return str(caught.value)


def test_csv(tmp_path: Path) -> None:
    table = '\ufefffile_name,text,speaker\nb.wav," one, two ",x\nsub/a.WAV,"three\nfour",y\n'
    entries = read(fill(tmp_path, table, "b.wav", "sub/a.WAV"))
    assert entries == [
        FileEntry(
            tmp_path / "b.wav", ["one, two"], f"{tmp_path}/metadata.csv line 2", {"speaker": "x"}
        ),
        FileEntry(
            tmp_path / "sub/a.WAV",
            ["three\nfour"],
            f"{tmp_path}/metadata.csv line 3",
            {"speaker": "y"},
        ),
    ]


def test_json_lines_and_several_texts(tmp_path: Path) -> None:
    table = (
        '{"file_name": "a.wav", "text": ["one", "two"], "n": 3}\n\n'
        '{"file_name": "b.wav", "text": "x"}\n{"file_name": "a.wav", "text": "three"}\n'
    )
    entries = read(fill(tmp_path, table, "a.wav", "b.wav", name="metadata.jsonl"))
    assert [(entry.file.name, entry.texts) for entry in entries] == [
        ("a.wav", ["one", "two", "three"]),
        ("b.wav", ["x"]),
    ]
    assert entries[0].columns == {"n": "3"}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            "file_name,transcription\na.wav,one\n",
            "{table} line 2 has no column `text` (its columns are file_name, transcription); set "
            "dataset.target to one of them.",
        ),
        (
            "file,text\na.wav,one\n",
            "{table} line 2 has no column `file_name` (its columns are file, text); add the "
            "column.",
        ),
        (
            "file_name,text\na.wav,one,two\n",
            "{table} line 2 has 3 columns where the first row has 2; correct the row.",
        ),
        (
            'file_name,text\na.wav,"one\n',
            "The table {table} cannot be read at line 2 (unexpected end of data); correct the "
            "line.",
        ),
        (
            "file_name,text\nc.wav,one\na.wav,one\n",
            "{table} line 2 names the file {folder}/c.wav, which does not exist, but every example "
            "needs a file and a text; correct the table or set data.on_bad_example=skip.",
        ),
        (
            "file_name,text\na.wav, \n",
            "{table} line 2 has an empty text for a.wav, but every example needs a file and a "
            "text; correct the table or set data.on_bad_example=skip.",
        ),
        (
            "file_name,text\n",
            "The file {folder}/a.wav has no row in {table} (1 of 1 files have none), but every "
            "file needs a text; add it, remove the file or set data.on_bad_example=skip.",
        ),
    ],
)
def test_bad_tables(tmp_path: Path, table: str, message: str) -> None:
    folder = fill(tmp_path, table, "a.wav")
    assert message_of(folder) == message.format(table=folder / "metadata.csv", folder=folder)


def test_bad_json(tmp_path: Path) -> None:
    folder = fill(tmp_path, "{]\n", name="metadata.jsonl")
    assert message_of(folder).startswith(f"{folder}/metadata.jsonl line 1 is not JSON (")
    fill(tmp_path, "[]\n", name="metadata.jsonl")
    assert "must be a JSON object with keys" in message_of(folder)
    fill(tmp_path, '{"file_name": "a.wav", "text": 3}\n', "a.wav", name="metadata.jsonl")
    assert message_of(folder) == (
        f"The values of `file_name` and `text` at {folder}/metadata.jsonl line 1 must be text; "
        "write them in quotes."
    )


def test_missing_folder_or_table(tmp_path: Path) -> None:
    assert message_of(tmp_path / "train").startswith(f"The folder {tmp_path}/train does not exist;")
    assert "but has neither" in message_of(tmp_path)
    fill(tmp_path, "")
    fill(tmp_path, "", name="metadata.jsonl")
    assert "but has both" in message_of(tmp_path)


def test_wrong_encoding(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_bytes("file_name,text\na.wav,gr\xfcn\n".encode("latin-1"))
    assert "metadata.csv must be UTF-8, but has the byte 0xFC" in message_of(tmp_path)


def test_skip(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = "file_name,text\na.wav,one\nb.wav,two\nc.wav,\n"
    folder = fill(tmp_path, table, "a.wav", "c.wav", "d.wav", "e.wav")
    with caplog.at_level(logging.INFO, logger="tandem"):
        assert [entry.file.name for entry in read(folder, "skip")] == ["a.wav"]
    assert caplog.messages == [
        f"Left out 2 of 4 files that have no row in {folder}/metadata.csv, the first of them "
        f"{folder}/d.wav.",
        f"Skipped 2 of 3 examples; the first: {folder}/metadata.csv line 3 names the file "
        f"{folder}/b.wav, which does not exist.",
    ]


def test_training_has_an_example_for_each_text() -> None:
    two = [FileEntry(Path("a.wav"), ["x", "y"], "")]
    data = make_file_splits({"train": two, "validation": two, "test": two})
    file = {"path": "a.wav", "bytes": None}
    assert data["train"][:] == {
        "source": [file, file],
        "target": ["x", "y"],
        "references": [["x"], ["y"]],
    }
    assert data["test"][:] == {"source": [file], "target": ["x"], "references": [["x", "y"]]}
    with pytest.raises(InputError, match="The test split is empty"):
        make_file_splits({"train": two, "validation": two, "test": []})
