"""The user's own files: parallel text, JSON Lines, tables."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from tandem.config.folders import config_folder
from tandem.core.errors import InputError
from tandem.data.datasets import csv_table, json_lines, parallel, text

Write = Callable[..., Path]

NAMES = {"train": "train", "validation": "dev", "test": "test"}
COLUMNS = {"source": "a", "target": "b"}


def options_of(name: str, **changes: Any) -> dict[str, Any]:
    """The options of a dataset as its config has them, a few changed."""
    content = yaml.safe_load((config_folder() / "dataset" / f"{name}.yaml").read_text())
    shared = {"strip": False, "streaming": False, "on_bad_example": "error"}
    options = {**content["dataset"], **shared, **changes}
    del options["_target_"]
    return options


def load_parallel(folder: Path, **changes: Any) -> Any:
    """Load with the usual names."""
    options = options_of("parallel", source="en", target="de", data_dir=str(folder), **NAMES)
    return parallel(**{**options, **changes})


def load_json(folder: Path, **changes: Any) -> Any:
    """Load with the usual names."""
    return json_lines(**options_of("json", **{**COLUMNS, "data_dir": str(folder), **changes}))


def load_csv(folder: Path, **changes: Any) -> Any:
    """Load with the usual names."""
    return csv_table(**options_of("csv", **{**COLUMNS, "data_dir": str(folder), **changes}))


def same(ending: str, content: str) -> dict[str, str]:
    """Return the same content for the three splits."""
    return {f"{name}__{ending}": content for name in NAMES.values()}


def message_of(load: Any, folder: Path, **changes: Any) -> str:
    """Return the message of the error that loading must raise."""
    with pytest.raises(InputError) as caught:
        load(folder, **changes)
    return str(caught.value)


def test_texts_are_sources_and_targets(write: Write) -> None:
    folder = write(train__txt="one\ntwo\n", dev__txt="three\n", notes__md="four\n")
    data = text(**options_of("text", data_dir=str(folder)))
    assert {name: split["target"][:] for name, split in data.items()} == {
        "train": ["one", "two"],
        "validation": ["three"],
    }
    assert data["train"]["source"][:] == ["one", "two"]


def test_parallel(write: Write) -> None:
    data = load_parallel(write(**same("en", "one\ntwo\n"), **same("de", "eins\nzwei\n")))
    assert data["test"][:] == {"source": ["one", "two"], "target": ["eins", "zwei"]}


def test_parallel_file_that_is_missing(write: Write) -> None:
    folder = write(**same("en", "one\n"))
    assert message_of(load_parallel, folder) == (
        f"The file {folder / 'train.de'} of the train split does not exist ({folder} has dev.en, "
        "test.en, train.en); correct dataset.data_dir or dataset.train."
    )


def test_json(write: Write) -> None:
    lines = '{"t": {"a": "x"}, "b.c": "y", "r": ["y", "z"]}\n\n'
    data = load_json(write(**same("jsonl", lines)), source="t.a", target="b.c", references="r")
    assert data["train"][:] == {"source": ["x"], "target": ["y"], "references": [["y", "z"]]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            '{"a": "x"',
            "is not JSON (Expecting ',' delimiter: line 1 column 10 (char 9)); each line "
            "must be one whole object, or the file one array of objects.",
        ),
        (
            "[1]",
            "must be a JSON object with keys, but is a list; each row must be one whole object.",
        ),
        (
            '{"a": "x", "c": "y"}',
            "has no column `b` (its columns are a, c); set dataset.target to one of them.",
        ),
        (
            '{"a": "x", "b": "y", "c": {"d": 1, "d": 2}}',
            "has an object with the key `d` more than once; keep one, or rename them.",
        ),
    ],
)
def test_json_line_that_does_not_fit(write: Write, line: str, message: str) -> None:
    folder = write(**same("jsonl", '{"a": "x", "b": "y"}\n' + line + "\n"))
    assert message_of(load_json, folder) == f"{folder / 'train.jsonl'} line 2 {message}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            '{"a": true, "b": "y"}',
            "The value of `a` at {place} must be text, but is a bool; write it in quotes.",
        ),
        (
            '{"a": "\\ud800", "b": "y"}',
            "The value of `a` at {place} has half of a surrogate pair "
            "('\\ud800'), which is no character; correct the line.",
        ),
        (
            '{"a": null, "b": "y"}',
            "The source at {place} is empty, but every example needs a "
            "source and a target; correct the file or set dataset.on_bad_example=skip.",
        ),
    ],
)
def test_json_value_that_is_no_text(write: Write, line: str, message: str) -> None:
    folder = write(**same("jsonl", line))
    place = f"{folder / 'train.jsonl'} line 1"
    assert message_of(load_json, folder) == message.format(place=place)


def test_references_that_are_all_empty(write: Write) -> None:
    folder = write(**same("jsonl", '{"a": "x", "b": "y", "r": [null, " "]}'))
    assert message_of(load_json, folder, references="r") == (
        f"The list of references at {folder / 'train.jsonl'} line 1 is empty, but every example "
        "needs a source and a target; correct the file or set dataset.on_bad_example=skip."
    )


def test_table_with_names(write: Write) -> None:
    data = load_csv(write(**same("csv", 'b,x,a\n"eins, zwei",0,one\n')))
    assert data["train"][:] == {"source": ["one"], "target": ["eins, zwei"]}


def test_table_with_numbers_and_tabs(write: Write) -> None:
    folder = write(**same("csv", 'say "hi\tignored\tsag "hi\n'))
    data = load_csv(folder, source=0, target=2, delimiter="\\t", quote=None)
    assert data["train"][:] == {"source": ['say "hi'], "target": ['sag "hi']}


def packed(ending: str, text: str) -> bytes:
    raw = text.encode()
    if ending == ".zst":
        return bytes(pa.Codec("zstd").compress(raw, asbytes=True))
    return gzip.compress(raw) if ending == ".gz" else raw


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
@pytest.mark.parametrize("named", [True, False])
def test_one_table_compressed_or_not(tmp_path: Path, ending: str, named: bool) -> None:
    lines = [f"source {number}\ttarget {number}\n" for number in range(10)]
    (tmp_path / f"all.tsv{ending}").write_bytes(packed(ending, "a\tb\n" + "".join(lines)))
    name = f"all.tsv{ending if named else ''}"
    data = load_csv(tmp_path, train=name, validation=0.2, test=0.1)
    assert {split: len(rows) for split, rows in data.items()} == {
        "train": 7,
        "validation": 2,
        "test": 1,
    }
    pairs = [pair for rows in data.values() for pair in zip(*rows[:].values(), strict=True)]
    assert sorted(pairs) == [(f"source {number}", f"target {number}") for number in range(10)]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
@pytest.mark.parametrize("streaming", [True, False])
def test_text_compressed(tmp_path: Path, ending: str, streaming: bool) -> None:
    for name in ("train-1", "train-2", "dev"):
        for side in ("en", "de"):
            text = "".join(f"{name} {side} {number}\n" for number in range(3))
            (tmp_path / f"{name}.{side}{ending}").write_bytes(packed(ending, text))
    data = load_parallel(tmp_path, train="train-*", test=None, streaming=streaming)
    expected = [(f"{n} en {i}", f"{n} de {i}") for n in ("train-1", "train-2") for i in range(3)]
    if not streaming:
        assert list(zip(*data["train"][:].values(), strict=True)) == expected
        return
    read = list(data.train.read([0, 1], ()))
    assert [example for example, _ in read] == expected
    for number, (_, place) in enumerate(read, start=1):
        assert list(data.train.read([0, 1], place)) == read[number:]
    path = tmp_path / f"train-2.de{ending}"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(
        InputError, match=rf"The file {path} is not a whole \w+ file( behind line \d)? \("
    ):
        list(data.train.read([0, 1], ()))


def test_without_a_test_split(write: Write) -> None:
    lines = '{"a": "x", "b": "y"}\n'
    folder = write(train__jsonl=lines, dev__jsonl=lines)
    assert set(load_json(folder)) == set(load_json(folder, test=None)) == {"train", "validation"}
    assert message_of(load_json, folder, validation="no.jsonl") == (
        f"The file {folder / 'no.jsonl'} of the validation split does not exist ({folder} has "
        "dev.jsonl, train.jsonl); correct dataset.data_dir or dataset.validation; "
        "dataset.validation=0.1 takes a tenth of the training split."
    )


def test_table_that_does_not_fit(write: Write) -> None:
    folder = write(**same("csv", 'a,b\n"x\ny",z\nx\n'))
    path = folder / "train.csv"
    assert message_of(load_csv, folder) == (
        f"{path} line 4 has 1 columns where 2 are needed, as many as the first row has; correct "
        "the row, or dataset.delimiter and dataset.quote."
    )
    assert message_of(load_csv, folder, target="c") == (
        f"{path} line 2 has no column `c` (its columns are a, b); set dataset.target to one of "
        "them."
    )


def test_table_with_an_open_quote(write: Write) -> None:
    folder = write(**same("csv", 'a,b\n"x,y\n'))
    assert message_of(load_csv, folder) == (
        f"The table {folder / 'train.csv'} cannot be read at line 2 (unexpected end of data); "
        "correct the line, or dataset.delimiter and dataset.quote; dataset.quote=null takes "
        "quotation marks as text."
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"source": 0},
            "dataset.source=0, dataset.target=b must all be column names, or all be numbers, as of "
            "files without a row of names.",
        ),
        (
            {"delimiter": "||", "quote": '"'},
            "dataset.delimiter ('||') has several characters, so there can be no quotation marks "
            "around columns; set dataset.quote=null.",
        ),
        ({"quote": ""}, "dataset.quote ('') must be one character."),
    ],
)
def test_table_options_that_cannot_work(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    assert message_of(load_csv, tmp_path, **changes) == message


def test_table_without_rows_is_an_empty_split(write: Write) -> None:
    folder = write(**same("csv", "a,b\n"))
    assert message_of(load_csv, folder).startswith("The train split is empty")
