r"""Files and pipes of text: how their bytes become lines, in training and in use alike.

Text is UTF-8, plain or compressed (:mod:`tandem.data.compressed`). A byte order mark at its start
is no part of it. A line ends with ``\n`` or ``\r\n``; with ``\r``, too, if there are such but no
``\n`` among the first :data:`HEAD` bytes. Other characters that Unicode counts as line breaks, and
a ``\r`` elsewhere, are characters of their line, as other tools count lines in this way.
"""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeAlias

from tandem.core.errors import InputError, reason_of
from tandem.data.compressed import CHUNK, NotWholeError, open_content, skip

HEAD = 1 << 20
"""Bytes at the start of the content that decide about the line ends of all of it."""
BLOCK = 1 << 16
"""Bytes of lines that are decoded at once."""

Line: TypeAlias = str | InputError
"""A line without its end, or what is wrong with it."""

_OTHER_ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""Byte order marks; a longer one comes before one that it begins with."""

_ZIP = b"PK\x03\x04"


def read_text(path: Path) -> str:
    """Return the content of a file as it is, line ends included.

    :raises InputError: if it cannot be read as text.
    """
    return _decoded(_read_bytes(path), f"the file {path}")


def read_lines(path: Path, *, strip: bool) -> list[str]:
    """Return the lines of a file.

    :param strip: remove whitespace at their ends.
    :raises InputError: if it cannot be read as text; the first bad line is named.
    """
    lines: list[str] = []
    for line, _ in stream_lines(path, strip=strip):
        if isinstance(line, InputError):
            raise line
        lines.append(line)
    return lines


def stream_lines(
    file: Path | BinaryIO,
    *,
    strip: bool,
    name: str = "",
    offset: int = 0,
    number: int = 0,
) -> Iterator[tuple[Line, int]]:
    """Yield the same lines one by one, each with the place behind it; a bad one is told as such.

    :param file: a path, or what is open, such as a pipe.
    :param strip: remove whitespace at their ends.
    :param name: how errors name it, such as ``the input a.txt``; a path names itself.
    :param offset: the byte of the decompressed content to begin with, as it was yielded.
    :param number: how many lines lie before it, for errors.
    :raises InputError: if the file cannot be read, or not as text.
    """
    name = name or f"the file {file}"
    with explain_failures(name, number) as place, open_content(file) as content:
        head = _head_of(content)
        _check_encoding(head, name)
        offset = offset or len(codecs.BOM_UTF8) * head.startswith(codecs.BOM_UTF8)
        if offset > len(head):
            skip(content, offset - len(head))
        split = _split_everywhere if _has_old_ends(head) else _split_at_line_feeds
        for raws in split(head[offset:], content):
            for line, raw in zip(_texts(raws, place.number, name), raws, strict=True):
                offset += len(raw)
                yield line.strip() if strip and isinstance(line, str) else line, offset
            place.number += len(raws)


class Place:
    """How far a file is read."""

    def __init__(self, number: int) -> None:
        self.number = number


@contextmanager
def explain_failures(name: str, number: int = 0) -> Iterator[Place]:
    """Say in a sentence why a file cannot be read.

    :param number: how many lines were read.
    """
    place, start = Place(number), _sentence_start(name)
    try:
        yield place
    except FileNotFoundError as error:
        raise InputError(f"{start} does not exist; correct the path.") from error
    except NotWholeError as error:
        behind = f" behind line {place.number}" if place.number else ""
        raise InputError(
            f"{start} is not a whole {error.kind} file{behind} ({reason_of(error)}); get it again."
        ) from error
    except OSError as error:
        raise InputError(
            f"{start} cannot be read ({reason_of(error)}); check the path and its permissions."
        ) from error


def _sentence_start(name: str) -> str:
    return name[0].upper() + name[1:]


def _read_bytes(path: Path) -> bytes:
    with explain_failures(f"the file {path}"), open_content(path) as content:
        return content.read()


def _decoded(raw: bytes, name: str) -> str:
    _check_encoding(raw, name)
    zero = raw.find(b"\0")
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _refusal(raw, min(zero, error.start) if zero >= 0 else error.start, name) from error
    if zero >= 0:
        raise _refusal(raw, zero, name)
    return text


def _refusal(raw: bytes, position: int, name: str) -> InputError:
    """Name the line of a byte that is not text."""
    number = raw.count(b"\n", 0, position) + 1
    if _has_old_ends(raw[:HEAD]):
        number += raw.count(b"\r", 0, position) - raw.count(b"\r\n", 0, position)
    return _no_text(raw[position], f"Line {number} of {name}")


def _texts(raws: list[bytes], before: int, name: str) -> list[Line]:
    """Return lines without their ends.

    :param raws: the lines as they are stored.
    :param before: how many lines of the file lie before them, for errors.
    """
    block = b"".join(raws)
    if b"\0" not in block and b"\r" not in block:  # nearly always, and all at once is faster
        with suppress(UnicodeDecodeError):
            return [*block.decode().removesuffix("\n").split("\n")]
    return [
        _text(raw, f"Line {number} of {name}") for number, raw in enumerate(raws, start=before + 1)
    ]


def _text(raw: bytes, place: str) -> Line:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return _no_text(0 if b"\0" in raw[: error.start] else raw[error.start], place)
    return _no_text(0, place) if "\0" in text else text.removesuffix("\n").removesuffix("\r")


def _no_text(byte: int, place: str) -> InputError:
    """The refusal of a byte that does not belong into text."""
    if byte == 0:
        return InputError(
            f"{place} has a byte 0, which no text has; take it out, or convert the file if it is "
            "UTF-16: iconv -f UTF-16LE -t UTF-8."
        )
    return InputError(
        f"{place} must be UTF-8, but has the byte 0x{byte:02X}; convert the file, for example with "
        "iconv -f WINDOWS-1252 -t UTF-8."
    )


def _check_encoding(head: bytes, name: str) -> None:
    """Refuse what a byte order mark says to be another encoding."""
    for mark, encoding in _OTHER_ENCODINGS.items():
        if head.startswith(mark):
            raise InputError(
                f"{_sentence_start(name)} must be UTF-8, but is {encoding}; convert it with iconv "
                f"-f {encoding} -t UTF-8."
            )
    if head.startswith(_ZIP):
        raise InputError(
            f"{_sentence_start(name)} must be text, but is a zip archive, as .xlsx and .docx are; "
            "unpack it, or save the table as CSV in UTF-8."
        )


def _head_of(content: BinaryIO) -> bytes:
    """What the line ends can be told by: all up to a line feed, and what came along with it."""
    head = b""
    while b"\n" not in head:
        chunk = content.read1(HEAD - len(head))  # type: ignore[attr-defined]
        if not chunk:
            break
        head += chunk
    return head


def _has_old_ends(head: bytes) -> bool:
    r"""Whether ``\r`` ends a line, as it did on old Macs."""
    return b"\r" in head and b"\n" not in head


def _split_at_line_feeds(rest: bytes, content: BinaryIO) -> Iterator[list[bytes]]:
    """Yield lines with their ends, some at once: first those of what was read already."""
    *whole, last = rest.split(b"\n")
    if whole:
        yield [line + b"\n" for line in whole]
    last += content.readline()
    if last:
        yield [last]
    most = BLOCK if content.seekable() else 1  # the lines of a pipe are not waited for
    while lines := content.readlines(most):
        yield lines


def _split_everywhere(rest: bytes, content: BinaryIO) -> Iterator[list[bytes]]:
    r"""The same where ``\r`` ends a line, too."""
    while chunk := content.read(CHUNK):
        *whole, rest = (rest + chunk).splitlines(keepends=True)
        if whole:
            yield whole  # the last one may go on
    if rest:
        yield rest.splitlines(keepends=True)
