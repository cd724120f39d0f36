"""What the headers of recordings announce, held against what is there.

libsndfile reads a file that was cut off as a shorter one: it corrects the announced length by the
file's size. So the sizes in the headers are compared here.
"""

import io
import re
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

STREAM_SIZE = 0x7FFFF000
"""Programs that write to a pipe announce so many bytes or more, or none: the size is unknown."""
MP3_FRAME = 2881
"""Bytes of the longest MPEG frame."""


class Chunks(NamedTuple):
    """A layout of chunks, each of which has a name, a size and a content."""

    first: int
    """Byte of the first chunk."""
    head: struct.Struct
    """Name and size."""
    data: tuple[bytes, ...]
    """How the name of the chunk of samples begins."""
    counts_head: bool
    """Whether the size includes name and size."""
    aligned: int
    """Chunks begin at multiples of so many bytes."""


LITTLE, BIG = struct.Struct("<4sI"), struct.Struct(">4sI")
LAYOUTS = {
    b"RIFF": Chunks(12, LITTLE, (b"data",), False, 2),
    b"RF64": Chunks(12, LITTLE, (b"data",), False, 2),
    b"RIFX": Chunks(12, BIG, (b"data",), False, 2),
    b"FORM": Chunks(12, BIG, (b"SSND", b"BODY"), False, 2),
    b"riff": Chunks(40, struct.Struct("<16sQ"), (b"data",), True, 8),
    b"caff": Chunks(8, struct.Struct(">4sQ"), (b"data",), False, 1),
}
"""By how a file begins: WAV, AIFF and 8SVX, Wave64 and CAF."""


def whole_recording(file: BinaryIO) -> BinaryIO:
    """Return a recording if it was not cut off, as far as its format tells.

    FLAC announces its samples, which the reader counts. Nothing tells that an MP3 file without a
    Xing or Info header was cut, and formats not named here are not looked at.

    :return: the file; a stream's WAV or AU that announces no samples says that it has many.
    :raises EOFError: with the reason.
    """
    size = file.seek(0, 2)
    start = _read(file, 0, 4)
    if start in LAYOUTS:
        end = _data_end(file, LAYOUTS[start], size)
    else:
        end = ENDS.get(start, _mp3_end)(file, size)
    if end is not None and end > size:
        raise EOFError(f"it is cut off: its header announces {end} bytes, but it has {size}")
    place = _empty_size(file, start, size)
    if place is not None:
        content = bytearray(_read(file, 0, size))
        content[place : place + 4] = b"\xff" * 4
        return io.BytesIO(content)
    file.seek(0)
    return file


def _data_end(file: BinaryIO, layout: Chunks, size: int) -> int | None:
    """Where the chunk of samples should end; None: it is not said, or nowhere."""
    wide = None
    for name, begin, length in _chunks(file, layout, size):
        if name == b"ds64":  # of RF64: sizes in 64 bits, that of the samples is the second
            wide = struct.unpack("<Q", _read(file, begin + 8, 8).ljust(8, b"\0"))[0]
        if name.startswith(layout.data):
            if length == 0xFFFFFFFF and wide is not None:
                return begin + int(wide)
            return begin + length if length < STREAM_SIZE else None
    return None


def _empty_size(file: BinaryIO, start: bytes, size: int) -> int | None:
    """Where WAV or AU says that there are no samples, though nobody came back to say how many."""
    if start == b".snd":
        begin, length = struct.unpack(">II", _read(file, 4, 8).ljust(8, b"\xff"))
        return 8 if length == 0 and begin < size else None
    if start != b"RIFF":
        return None
    chunks = list(_chunks(file, LAYOUTS[start], size))
    for number, (name, begin, length) in enumerate(chunks):
        if name == b"data":
            behind = chunks[number + 1 :]
            named = all(name.isascii() and name.decode().isprintable() for name, _, _ in behind)
            ends = begin if not behind else sum(behind[-1][1:])
            return begin - 4 if length == 0 and not (named and 0 <= size - ends <= 1) else None
    return None


def _chunks(file: BinaryIO, layout: Chunks, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk, where its content begins and how long it is said to be."""
    place = layout.first
    while place + layout.head.size <= size:
        name, length = layout.head.unpack(_read(file, place, layout.head.size))
        begin = place + layout.head.size
        length -= layout.head.size if layout.counts_head else 0
        yield name, begin, length
        end = begin + max(length, 0)
        place = end + -end % layout.aligned


def _au_end(order: str) -> Callable[[BinaryIO, int], int | None]:
    """AU says where its samples begin and how many bytes they have."""

    def end(file: BinaryIO, size: int) -> int | None:
        begin, length = struct.unpack(f"{order}II", _read(file, 4, 8).ljust(8, b"\0"))
        return begin + length if length < STREAM_SIZE else None

    return end


def _sphere_end(file: BinaryIO, size: int) -> int | None:
    """NIST SPHERE has a header of text, whose second line is its size."""
    head = _read(file, 0, 4096).decode("latin-1")
    begin = re.match(r"NIST_1A\n\s*(\d+)\n", head)
    facts = dict(re.findall(r"^(\w+) -i (\d+)", head, re.MULTILINE))
    keys = ("sample_count", "channel_count", "sample_n_bytes")
    if begin is None or not all(key in facts for key in keys) or "embedded-" in head:
        return None
    count, channels, width = (int(facts[key]) for key in keys)
    return int(begin[1]) + count * channels * width


def _ogg_end(file: BinaryIO, size: int) -> int | None:
    """Ogg ends with a page that is marked as the last one."""
    tail_start = max(0, size - 2**17)  # a page has at most 65,307 bytes
    tail = _read(file, tail_start, 2**17)
    page = tail.rfind(b"OggS")
    segments = tail[page + 27 : page + 27 + tail[page + 26]] if len(tail) > page + 26 else b""
    if page < 0 or not segments:
        raise EOFError("it is cut off: its last Ogg page is not whole")
    end = tail_start + page + 27 + len(segments) + sum(segments)
    if len(segments) < tail[page + 26] or end > size:
        raise EOFError("it is cut off: its last Ogg page is not whole")
    if not tail[page + 5] & 4:
        raise EOFError("it is cut off: no Ogg page is marked as the last one")
    return None


def _mp3_end(file: BinaryIO, size: int) -> int | None:
    """The header named Xing or Info of an MP3 file may say how many bytes follow."""
    head = _read(file, 0, 10)
    place = 0
    if head[:3] == b"ID3" and len(head) == 10:
        place = 10 + sum(
            byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)
        )
    frame = _read(file, place, 2 * MP3_FRAME)
    found = re.search(rb"\xff[\xe0-\xff].{7,40}?(Xing|Info)(....)", frame, re.DOTALL)
    if found is None:
        return None
    flags = int.from_bytes(found[2], "big")
    at = found.end() + (4 if flags & 1 else 0)
    if not flags & 2:
        return None
    announced = int.from_bytes(frame[at : at + 4], "big")
    slack = min(MP3_FRAME, announced // 20)  # writers do not agree about the last frame
    return place + found.start() + announced - slack


ENDS: dict[bytes, Callable[[BinaryIO, int], int | None]] = {
    b".snd": _au_end(">"),
    b"dns.": _au_end("<"),
    b"NIST": _sphere_end,
    b"OggS": _ogg_end,
}
"""By how a file begins: where it should end."""


def _read(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)
