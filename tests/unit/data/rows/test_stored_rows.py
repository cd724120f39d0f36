"""Rows of tables, JSON and files side by side: the same whole, and from any offset on."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from tandem.core.errors import InputError
from tandem.data.rows import RowFile
from tandem.data.rows.json_objects import open_json
from tandem.data.rows.side_by_side import SideBySide, join_paths
from tandem.data.rows.table import TableFile, TableFormat

Values = list[dict[Any, Any]]

NUMBERED = {"header": False}
TABLES: dict[str, tuple[str, bytes, dict[str, Any], Values]] = {
    "a delimiter within quotes": ("a.csv", b'a,b\n"x, y",z\n', {}, [{"a": "x, y", "b": "z"}]),
    "a doubled quote": ("a.csv", b'a,b\n"x ""y""",z\n', {}, [{"a": 'x "y"', "b": "z"}]),
    "line ends within quotes": (
        "a.csv",
        b'\xef\xbb\xbf"a\r\nb",c\r\n"x\r\n\r\n#y","z\nz"\r\n1,2\r\n',
        {"comment": "#"},
        [{"a\r\nb": "x\r\n\r\n#y", "c": "z\nz"}, {"a\r\nb": "1", "c": "2"}],
    ),
    "a quote that opens in text": ("a.csv", b'a,b\n5" wide,x\n', {}, [{"a": '5" wide', "b": "x"}]),
    "quotes that never close": (
        "a.tsv",
        b'a\tb\n"x\ty\nz\t"\n',
        {},
        [{"a": '"x', "b": "y"}, {"a": "z", "b": '"'}],
    ),
    "commas in tabs": ("a.tsv.gz", gzip.compress(b"x,y\tz\n"), NUMBERED, [{0: "x,y", 1: "z"}]),
    "an empty last column": (
        "a.tsv",
        b"x\t\ny\tz\n",
        NUMBERED,
        [{0: "x", 1: ""}, {0: "y", 1: "z"}],
    ),
    "blank lines": ("a.csv", b"\na,b\n\nx,y\n\n", {}, [{"a": "x", "b": "y"}]),
    "blanks": ("a.tsv", b" x \t  \n", NUMBERED, [{0: " x ", 1: "  "}]),
    "line ends of Unicode": (
        "a.csv",
        "a,b\nx\u2028y,z\x85\x0c\x1d\rw\n".encode(),
        {},
        [{"a": "x\u2028y", "b": "z\x85\x0c\x1d\rw"}],
    ),
    "old Mac": ("a.csv", b"a,b\rx,y\r", {}, [{"a": "x", "b": "y"}]),
    "no line end": ("a.csv", b"a,b\nx,y", {}, [{"a": "x", "b": "y"}]),
    "comments": (
        "a.csv",
        b";;; x\nA B\n;;; y\nC D\n",
        {**NUMBERED, "delimiter": " ", "comment": ";;;"},
        [{0: "A", 1: "B"}, {0: "C", 1: "D"}],
    ),
    "the rest joined": (
        "a.csv",
        b'aalen AA1 "L  N\nA AH0\n',
        {**NUMBERED, "delimiter": " ", "rest": "join", "width": 2},
        [{0: "aalen", 1: 'AA1 "L  N'}, {0: "A", 1: "AH0"}],
    ),
    "the rest joined behind names": (
        "a.tsv",
        b"a\tb\nx\ty\tz\t\n",
        {"rest": "join"},
        [{"a": "x", "b": "y\tz\t"}],
    ),
    "the rest dropped": ("a.csv", b'a,b\nx,"y",z\n', {"rest": "drop"}, [{"a": "x", "b": "y"}]),
    "several characters": (
        "a.txt",
        b"x ||| y\n",
        {**NUMBERED, "delimiter": " ||| "},
        [{0: "x", 1: "y"}],
    ),
    "an escaped tab": ("a.txt", b"x\ty\n", {**NUMBERED, "delimiter": "\\t"}, [{0: "x", 1: "y"}]),
    "names that are not asked for": (
        "a.csv",
        b"a,a,\nx,y,z\n",
        {"numbered": True},
        [{0: "x", 1: "y", 2: "z"}],
    ),
    "columns without names": ("a.csv", b"a,,\nx,,\n", {}, [{"a": "x", "": ""}]),
    "nothing": ("a.csv", b"", {}, []),
}


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def values(rows: RowFile) -> Values:
    """All rows, after a check that each offset is one to go on from."""
    read = list(rows.read())
    for number, (_, offset) in enumerate(read, start=1):
        assert list(rows.read(offset)) == read[number:]
    return [dict(record.values) for record in rows.records()]


@pytest.mark.parametrize("case", TABLES)
def test_tables(tmp_path: Path, case: str) -> None:
    name, content, options, expected = TABLES[case]
    path = write(tmp_path / name, content)
    assert values(TableFile(path, TableFormat(**options))) == expected


def test_the_place_of_a_row_is_the_line_that_it_starts_at(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'a,b\n# x\n"x\ny",b\n\nz,b\n')
    places = [record.place for record in TableFile(path, TableFormat(comment="#")).records()]
    assert places == [f"{path} line 3", f"{path} line 6"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a,b\nx,y\nx,y,z\n",
            "{path} line 3 has 3 columns where 2 are needed, as many as the first row has; correct "
            "the row, or dataset.delimiter and dataset.quote, or say with dataset.rest what "
            "becomes of longer rows.",
        ),
        (
            "a,b,c,d\nx,y\n",
            "{path} line 2 has 2 columns where 4 are needed, as many as the first row has; correct "
            "the row, or dataset.delimiter and dataset.quote.",
        ),
        (
            "a,b,a,b\n",
            "The table {path} has several columns of the name `a`, `b`; rename them.",
        ),
        (
            "a;b\nx;y\n",
            "The table {path} has one column, `a;b`, where a source and a target are needed, as "
            "',' stands nowhere in its first row; set dataset.delimiter.",
        ),
        (
            'a,b\nx,"y\n',
            "The table {path} cannot be read at line 2 (unexpected end of data); correct the line, "
            "or dataset.delimiter and dataset.quote; dataset.quote=null takes quotation marks as "
            "text.",
        ),
    ],
)
def test_tables_that_are_damaged(tmp_path: Path, content: str, message: str) -> None:
    path = write(tmp_path / "a.csv", content)
    with pytest.raises(InputError) as caught:
        list(TableFile(path, TableFormat()).records())
    assert str(caught.value) == message.format(path=path)


@pytest.mark.parametrize("quote", ["auto", None])
def test_a_damaged_row_is_one_row(tmp_path: Path, quote: str | None) -> None:
    content = "a,b\n1,2\ncaf\xe9,3\n4\n5,6\n".encode("latin-1")
    rows = TableFile(write(tmp_path / "a.csv", content), TableFormat(quote=quote))
    read = list(rows.read())
    assert [isinstance(record, InputError) for record, _ in read] == [False, True, True, False]
    assert [list(rows.read(offset)) for _, offset in read[2:]] == [read[3:], []]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rest": "keep"}, "dataset.rest (keep) must be one of error, join, drop."),
        ({"quote": ""}, "dataset.quote ('') must be one character."),
        ({"delimiter": "\n"}, "dataset.delimiter ('\\n') must be text within one line."),
        (
            {"rest": "join", "quote": '"'},
            "dataset.rest=join takes the rest of a line as it stands, so there can be no quotation "
            "marks around columns; set dataset.quote=null.",
        ),
    ],
)
def test_formats_that_no_table_has(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        TableFormat(**options)
    assert str(caught.value) == message


JSON: dict[str, tuple[str, Values]] = {
    "lines": (
        '{"a": "x"}\r\n\n {"a": ["\\u00e9"], "b": null}',
        [{"a": "x"}, {"a": ["é"], "b": None}],
    ),
    "an array": ('\ufeff\n[{"a": "x\\n"},\n{"a": "y"}]\n', [{"a": "x\n"}, {"a": "y"}]),
    "an empty array": ("[]", []),
    "numbers as they are written": (
        '{"a": 0.10, "b": 1E5, "c": -0}',
        [{"a": "0.10", "b": "1E5", "c": "-0"}],
    ),
    "line ends of Unicode": ('{"a": " \u2028\x85"}\n', [{"a": " \u2028\x85"}]),
}


@pytest.mark.parametrize("case", JSON)
def test_json(tmp_path: Path, case: str) -> None:
    content, expected = JSON[case]
    assert values(open_json(write(tmp_path / "a.txt", content))) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"a": 1}, {"a"}]', "The file {path} begins with [ but is not one JSON array ("),
        ('[{"a": 1}, 2]', "{path} object 2 must be a JSON object with keys, but is a str; each "),
        ('[{"a": 1, "a": 2}]', "The file {path} has an object with the key `a` more than once; k"),
        ('{"a": "\\udc00"}', "The value of `a` at {path} line 1 has half of a surrogate pair ("),
    ],
)
def test_json_that_is_damaged(tmp_path: Path, content: str, message: str) -> None:
    path = write(tmp_path / "a.json", content)
    with pytest.raises(InputError) as caught:
        list(open_json(path).records())
    assert str(caught.value).startswith(message.format(path=path))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_files_side_by_side(tmp_path: Path, count: int) -> None:
    names = ["en", "de", "fr"][:count]
    paths = {name: write(tmp_path / f"x.{name}", f" {name}1 \r\n\n{name}\r3") for name in names}
    rows = SideBySide(paths)  # type: ignore[arg-type]
    assert values(rows) == [
        {name: text.format(name) for name in names} for text in (" {}1 ", "", "{}\r3")
    ]
    (tmp_path / "x.en").write_bytes(b"1\n\xe9\n3\n")
    damaged = [isinstance(record, InputError) for record, _ in rows.read()]
    assert damaged == [False, True, False]
    if count > 1:
        (tmp_path / "x.en").write_text("1\n2\n3\n4\n5\n")
        with pytest.raises(InputError, match=r"x\.en \(5 lines\) and .*x\.de \(3 lines\)"):
            list(rows.read())


def test_paths_are_joined() -> None:
    assert join_paths([Path("t/train.en.gz")]) == "t/train.en.gz"
    assert join_paths([Path("t/train.en.gz"), Path("t/train.de.gz")]) == "t/train.{en,de}.gz"
    assert join_paths([Path("a"), Path("a.b")]) == "a{,.b}"
    assert join_paths([Path("aa"), Path("a")]) == "a{a,}"
