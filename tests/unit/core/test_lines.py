"""A text is one line, whatever it holds, and comes back from it."""

import json
import random
from pathlib import Path

import pytest

from tandem.core.files import write_text
from tandem.core.lines import json_line, one_line, text_of, utf8

SAME = (
    "",
    "plain",
    r"\frac{1}{2} \nu \rho \xi \\ \x1b \u00e9 \xa",
    r"C:\new\x0\\",
    "tab\tand bell\x07",
    "日本 𝄞 \xa0",
    "\\",
)
"""What ends no line, though it looks like an escape of some language or other."""
CHANGED = {
    "a\nb": r"a\x0ab",
    "\r\n\v\f": r"\x0d\x0a\x0b\x0c",
    "\x1c\x1d\x1e\x85\u2028\u2029": r"\x1c\x1d\x1e\x85\u2028\u2029",
    "\0": r"\x00",
    r"\x0a": r"\x5cx0a",
    "\\\n": r"\\x0a",
    r"\x5cx0a": r"\x5cx5cx0a",
    "\\\\x0a\n": r"\\x5cx0a\x0a",
}


@pytest.mark.parametrize("text", SAME, ids=ascii)
def test_a_text_of_one_line_is_itself(text: str) -> None:
    assert one_line(text) == text == text_of(text)


@pytest.mark.parametrize("text", CHANGED, ids=ascii)
def test_what_ends_a_line_is_written_as_its_code(text: str) -> None:
    assert one_line(text) == CHANGED[text]
    assert text_of(CHANGED[text]) == text


def test_every_text_comes_back() -> None:
    parts = ["\\", "x0a", "x5c", "u2028", "\n", "\r", "\u2028", "\0", "a", "x", "5c"]
    draw = random.Random(0)
    for _ in range(3000):
        text = "".join(draw.choices(parts, k=draw.randrange(8)))
        line = one_line(text)
        assert text_of(line) == text
        assert line.splitlines() == ([line] if line else [])
    assert len({one_line(text) for text in (*SAME, *CHANGED)}) == len({*SAME, *CHANGED})


def test_json_is_one_line() -> None:
    text = "".join(map(chr, range(0x2100)))
    line = json_line({"text": text, "é": ["\udc80"]})
    assert line.splitlines() == [line]
    assert json.loads(utf8(line)) == {"text": text, "é": ["\udc80"]}
    assert "é" in line


def test_what_is_no_character_is_written_as_its_code(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "é\udcff")
    assert (tmp_path / "a").read_text(encoding="utf-8") == "é\\udcff"
