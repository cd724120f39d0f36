"""What columns mean: texts as they stand or stripped, references, and what is no example."""

from typing import Any

import pytest

from tandem.core.errors import InputError
from tandem.data.rows import Record
from tandem.data.text_columns import TextColumns

ROW = {
    "a": " x ",
    "b": "y\u2028",
    "c": {"d": "z"},
    "r": ["p", None, " ", " q"],
    "s": "t",
    "n": None,
}


def columns(**changes: Any) -> TextColumns:
    return TextColumns(**{"source": "a", "target": "b", **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (" x ", "y\u2028", None)),
        ({"strip": True}, ("x", "y", None)),
        ({"target": "c.d"}, (" x ", "z", None)),
        ({"references": "r"}, (" x ", "y\u2028", ["p", " q"])),
        ({"references": ["s", "r"], "strip": True}, ("x", "y", ["t", "p", "q"])),
        ({"references": ["s", "n"], "target": None}, (" x ", "t", ["t"])),
        ({"references": ["b", "s"]}, (" x ", "y\u2028", ["y\u2028", "t"])),
        ({"references": "by_source"}, (" x ", "y\u2028", None)),
    ],
)
def test_examples(changes: dict[str, Any], expected: tuple[Any, ...]) -> None:
    meant, record = columns(**changes), Record("here", ROW)
    example = meant.example(record)
    assert not isinstance(example, InputError)
    assert (example.source, example.target, example.references) == expected
    assert meant.pair(record) == expected[:2]


def test_spaces_around_names() -> None:
    assert columns().pair(Record("here", {"a": "x", " b ": " y"})) == ("x", " y")


@pytest.mark.parametrize("strip", [True, False])
@pytest.mark.parametrize("empty", [None, "", " ", "\t\u2028\x85"])
def test_nothing_but_whitespace_is_empty(empty: str | None, strip: bool) -> None:
    refusal = columns(strip=strip).example(Record("here", {"a": empty, "b": "y"}))
    assert str(refusal).startswith("The source at here is empty, but every example needs a source")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"target": "e"},
            "here has no column `e` (its columns are a, b, c, r, s, n); set dataset.t",
        ),
        (
            {"target": "c"},
            "The value of `c` at here must be text, but is a dict; write it in quote",
        ),
        ({"references": "n"}, "The list of references at here is empty, but every example needs a"),
        (
            {"references": "c.x"},
            "here has no column `c.x` (its columns are a, b, c, r, s, n); set ",
        ),
        (
            {"group": "g"},
            "here has no column `g` (its columns are a, b, c, r, s, n); set dataset.g",
        ),
    ],
)
def test_rows_that_do_not_fit(changes: dict[str, Any], message: str) -> None:
    assert str(columns(**changes).example(Record("here", ROW))).startswith(message)


def test_what_splits_are_made_by() -> None:
    example = columns(group="n", split="s").example(Record("here", ROW))
    assert not isinstance(example, InputError)
    assert (example.group, example.split) == ("", "t")
    plain = columns().example(Record("here", ROW))
    assert not isinstance(plain, InputError)
    assert (plain.group, plain.split) == (" x ", None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"target": None},
            "dataset.target=null needs dataset.references, whose columns are the tar",
        ),
        (
            {"target": "a"},
            "The columns a, a are not all different, but dataset.source is never an output",
        ),
        (
            {"references": ["r", "r"]},
            "The columns a, b, r, r are not all different, but dataset.source is never an",
        ),
    ],
)
def test_columns_that_cannot_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        columns(**changes)
    assert str(caught.value).startswith(message)
