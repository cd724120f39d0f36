"""What commands read is what training reads: the same lines of the same bytes, and JSON Lines."""

import gzip
import io
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tandem.commands.files import Lines, check_input, check_output
from tandem.config.instantiate import make
from tandem.core.errors import InputError
from tandem.core.lines import json_line

CONTENTS = {
    "Unix": b"a  b\n c\t\nd",
    "a mark and DOS": b"\xef\xbb\xbfa b\r\nc\r\n",
    "old Mac": b"a b\rc\r",
    "a return within": b"a\rb\nc\n",
    "separators of Unicode": "a\u2028b\x85c\x0bd\n e \n".encode(),
    "compressed": gzip.compress(b"a b\r\nc \n"),
}


@pytest.mark.parametrize("strip", [False, True])
@pytest.mark.parametrize("kind", CONTENTS)
def test_commands_read_what_training_reads(
    tmp_path: Path, compose_config, monkeypatch: pytest.MonkeyPatch, kind: str, strip: bool
) -> None:
    content = CONTENTS[kind]
    for name in ("train.x", "train.y"):
        (tmp_path / name).write_bytes(content)
    common = (f"dataset.data_dir={tmp_path}", "dataset.source=x", "dataset.target=y")
    options = (*common, "dataset.validation=train", "dataset.test=train", f"data.strip={strip}")
    whole, stream = (
        make(compose_config("train", "dataset=parallel", *options, *more).dataset)
        for more in ((), ("dataset.streaming=true",))
    )
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    readings = {
        "training": whole["train"]["source"][:],
        "a stream": [example[0] for example, _ in stream.train.read([0], ())],
        "a file": list(Lines(str(tmp_path / "train.x"), key="input", strip=strip)),
        "standard input": list(Lines("-", key="input", strip=strip)),
    }
    assert readings == dict.fromkeys(readings, readings["training"])
    assert len(readings["training"]) == (3 if kind == "Unix" else 2)


def test_what_cannot_be_an_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old.txt").touch()
    for name, message in (
        ("old.txt", "already exists; choose another output=... or remove it."),
        ("a.jsonl.gz", "would be plain, though its name ends with .gz; write output="),
    ):
        with pytest.raises(InputError, match=re.escape(message)):
            check_output(str(tmp_path / name))
    check_output("-")
    check_input("-", key="source")
    with open(os.devnull, "r+") as nothing:  # what a closed stream becomes
        monkeypatch.setattr(sys, "stdin", nothing)
        monkeypatch.setattr(sys, "stdout", nothing)
        with pytest.raises(InputError, match=r"^Standard output is closed; give a file: output="):
            check_output("-")
        with pytest.raises(InputError, match=r"^Standard input is closed; give a file: source="):
            check_input("-", key="source")


def test_json_lines_hold_any_text(tmp_path: Path) -> None:
    texts = ["a\nb", " c\u2028 ", "", "\\x0a\x00"]
    for key, field in (("input", "source"), ("source", "source"), ("target", "text")):
        for name, pack in (("a.jsonl", bytes), ("a.jsonl.gz", gzip.compress)):
            lines = [json_line(texts[0]), *(json_line({field: text}) for text in texts[1:])]
            (tmp_path / name).write_bytes(pack("\n".join(lines).encode()))
            assert list(Lines(str(tmp_path / name), key=key, strip=False)) == texts
    stripped = Lines(str(tmp_path / "a.jsonl"), key="target", strip=True)
    assert list(stripped) == [text.strip() for text in texts]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a b", "Line 2 of the input {path} is not JSON (Expecting value: "),
        ("", "Line 2 of the input {path} is not JSON (Expecting value: "),
        ("[" * 100_000, "Line 2 of the input {path} is not JSON ("),
        ("3", "Line 2 of the input {path} must be a JSON string or an object with a string under "),
        ('{"text": "a"}', "Line 2 of the input {path} must be a JSON string or an object with a "),
        ('"\\ud800"', "Line 2 of the input {path} has half of a surrogate pair ('\\ud800'), which"),
    ],
    ids=["text", "empty", "deep", "number", "another key", "half"],
)
def test_what_is_no_text_in_json(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'"a"\n{line}\n')
    with pytest.raises(InputError) as caught:
        list(Lines(str(path), key="input", strip=False))
    assert str(caught.value).startswith(message.format(path=path))
