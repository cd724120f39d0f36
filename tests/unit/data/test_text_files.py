"""Bytes become the same lines, whoever reads them: whole, one by one, from a place on, a pipe."""

import bz2
import gzip
import lzma
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from tandem.core.errors import InputError
from tandem.data import text_files
from tandem.data.text_files import read_lines, read_text, stream_lines

Read = Callable[[bytes, Path], list[str]]


def zstd(content: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(content, asbytes=True))


CONTENTS: dict[str, tuple[bytes, list[str]]] = {
    "nothing": (b"", []),
    "only a mark": (b"\xef\xbb\xbf", []),
    "an empty line": (b"\n", [""]),
    "no end": (b"a\nb", ["a", "b"]),
    "empty lines": (b"\n\na\n\n", ["", "", "a", ""]),
    "a mark at the start and another": ("\ufeffa\n\ufeffb\n".encode(), ["a", "\ufeffb"]),
    "DOS": (b"a\r\n\r\nb\r\n", ["a", "", "b"]),
    "DOS without an end": (b"a\r\nb\r", ["a", "b"]),
    "DOS and Unix": (b"a\r\nb\nc\r\n", ["a", "b", "c"]),
    "old Mac": (b"a\rb\r", ["a", "b"]),
    "old Mac, empty lines": (b"a\r\r\rb\r\r", ["a", "", "", "b", ""]),
    "a return within a line": (b"a\rb\nc\r\r\n\r", ["a\rb", "c\r", ""]),
    "blanks": (b" a\t\n \nb  \n", [" a\t", " ", "b  "]),
    "separators of Unicode": ("a\u2028b\x85\x0b\x0c\x1c\x1d\x1e\u2029\n".encode(), [
        "a\u2028b\x85\x0b\x0c\x1c\x1d\x1e\u2029"
    ]),
    "more than four bytes": ("ä𝄞\nß\n".encode(), ["ä𝄞", "ß"]),
    "gzip": (gzip.compress(b"\xef\xbb\xbfa\r\nb\n"), ["a", "b"]),
    "gzip twice": (gzip.compress(b"a\nb") + gzip.compress(b"c\n"), ["a", "bc"]),
    "Zstandard": (zstd(b"a\nb\n"), ["a", "b"]),
    "Zstandard twice": (zstd(b"a\nb") + zstd(b"c\n"), ["a", "bc"]),
    "bzip2": (bz2.compress(b"a\nb") + bz2.compress(b"c\n"), ["a", "bc"]),
    "xz": (lzma.compress(b"a\nb") + lzma.compress(b"c\n"), ["a", "bc"]),
    "nothing, compressed": (bz2.compress(b""), []),
    "as bzip2 begins": (b"BZh9", ["BZh9"]),
    "a bracket, as Zstandard begins": (b"(", ["("]),
}  # fmt: skip

BAD: dict[str, tuple[bytes, str]] = {
    "Latin-1": (
        "a\ncafé\n".encode("latin-1"),
        "Line 2 of {name} must be UTF-8, but has the byte 0xE9; convert the file, for example with "
        "iconv -f WINDOWS-1252 -t UTF-8.",
    ),
    "Latin-1 of an old Mac": (
        "a\r\rcafé".encode("latin-1"),
        "Line 3 of {name} must be UTF-8, but has the byte 0xE9; convert the file, for example with "
        "iconv -f WINDOWS-1252 -t UTF-8.",
    ),
    "a byte 0": (
        b"a\nb\0\xe9\n",
        "Line 2 of {name} has a byte 0, which no text has; take it out, or convert the file if it "
        "is UTF-16: iconv -f UTF-16LE -t UTF-8.",
    ),
    "UTF-16": (
        "a\n".encode("utf-16-le").join([b"\xff\xfe", b""]),
        "{Name} must be UTF-8, but is UTF-16; convert it with iconv -f UTF-16 -t UTF-8.",
    ),
    "UTF-16, the other way round": (
        b"\xfe\xff" + "a\n".encode("utf-16-be"),
        "{Name} must be UTF-8, but is UTF-16; convert it with iconv -f UTF-16 -t UTF-8.",
    ),
    "UTF-32": (
        b"\xff\xfe\0\0" + "a\n".encode("utf-32-le"),
        "{Name} must be UTF-8, but is UTF-32; convert it with iconv -f UTF-32 -t UTF-8.",
    ),
    "zip": (
        b"PK\x03\x04\n\0\xe9",
        "{Name} must be text, but is a zip archive, as .xlsx and .docx are; unpack it, or save the "
        "table as CSV in UTF-8.",
    ),
    "xz, damaged": (
        lzma.compress(b"no line ends here")[:-9] + b"123456789",
        "{Name} is not a whole xz file (Corrupt input data); get it again.",
    ),
    "gzip, cut": (
        gzip.compress(b"no line ends here")[:-9],
        "{Name} is not a whole gzip file (Compressed file ended before the "
        "end-of-stream marker was reached); get it again.",
    ),
}


def sound(lines: object) -> list[str]:
    """Lines without their places; raises what is wrong with one."""
    texts = []
    for line, _ in lines:  # type: ignore[attr-defined]
        if isinstance(line, InputError):
            raise line
        texts.append(line)
    return texts


def whole(content: bytes, folder: Path) -> list[str]:
    return read_lines(write(content, folder), strip=False)


def one_by_one(content: bytes, folder: Path) -> list[str]:
    return sound(stream_lines(write(content, folder), strip=False))


def from_each_place(content: bytes, folder: Path) -> list[str]:
    """Goes on in another process behind each line."""
    path, texts, offset = write(content, folder), [], 0
    while following := next(
        stream_lines(path, strip=False, offset=offset, number=len(texts)), None
    ):
        offset = following[1]
        texts += sound([following])
    return texts


def piped(content: bytes, folder: Path) -> list[str]:
    """Comes byte by byte."""
    receiver, sender = os.pipe()

    def send() -> None:
        with suppress(BrokenPipeError):  # the reader has seen enough
            for byte in content:
                os.write(sender, bytes([byte]))
        os.close(sender)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        with open(receiver, "rb") as file:
            return sound(stream_lines(file, strip=False, name=f"the file {folder / 'text'}"))
    finally:
        thread.join()


def redirected(content: bytes, folder: Path) -> list[str]:
    """As ``< text`` does, with a first line that somebody else has read."""
    with write(b"gone\n" + content, folder).open("rb") as file:
        file.readline()
        return sound(stream_lines(file, strip=False, name=f"the file {folder / 'text'}"))


READERS: tuple[Read, ...] = (whole, one_by_one, from_each_place, piped, redirected)


def write(content: bytes, folder: Path) -> Path:
    path = folder / "text"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("kind", CONTENTS)
def test_everybody_reads_the_same_lines(tmp_path: Path, kind: str, read: Read) -> None:
    content, lines = CONTENTS[kind]
    assert read(content, tmp_path) == lines


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("kind", BAD)
def test_everybody_refuses_the_same(tmp_path: Path, kind: str, read: Read) -> None:
    content, message = BAD[kind]
    with pytest.raises(InputError) as caught:
        read(content, tmp_path)
    name = f"file {tmp_path / 'text'}"
    assert str(caught.value) == message.format(name=f"the {name}", Name=f"The {name}")


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("read", READERS[:-2])
def test_the_start_decides_about_old_line_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Read, size: int
) -> None:
    monkeypatch.setattr(text_files, "HEAD", size)
    monkeypatch.setattr(text_files, "CHUNK", 2)
    assert read(b"a\rb\nc\r\nd\r", tmp_path) == {
        1: ["a\rb", "c", "d"],
        2: ["a", "b", "c", "d"],
        3: ["a", "b", "c", "d"],
        5: ["a\rb", "c", "d"],
    }[size]  # fmt: skip


@pytest.mark.parametrize("read", [whole, one_by_one])
def test_whitespace_goes_where_that_is_wanted(tmp_path: Path, read: Read) -> None:
    path = write("\ufeff a\u2003\n \r\n\tb\n".encode(), tmp_path)
    lines = read_lines(path, strip=True)
    assert lines == sound(stream_lines(path, strip=True)) == ["a", "", "b"]


def test_a_bad_line_of_a_stream_is_no_end(tmp_path: Path) -> None:
    path = write(b"a\n\xe9\nb\n", tmp_path)
    first, bad, last = (line for line, _ in stream_lines(path, strip=False))
    assert (first, last) == ("a", "b")
    assert "Line 2" in str(bad)


def test_a_whole_text_keeps_its_line_ends(tmp_path: Path) -> None:
    path = write(gzip.compress("\ufeffa\r\n\rb\n".encode()), tmp_path)
    assert read_text(path) == "a\r\n\rb\n"


@pytest.mark.parametrize("read", [whole, one_by_one])
def test_what_cannot_be_opened(tmp_path: Path, read: Read) -> None:
    for path, message in (
        (tmp_path / "none", "does not exist; correct the path."),
        (tmp_path, "cannot be read (Is a directory); check the path and its permissions."),
    ):
        with pytest.raises(InputError) as caught:
            read_lines(path, strip=True)
        assert str(caught.value) == f"The file {path} {message}"
        with pytest.raises(InputError) as again:
            list(stream_lines(path, strip=True))
        assert str(again.value) == str(caught.value)
