"""Sources of a request: texts as they are, and files that nobody else sees."""

import base64
import binascii
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tandem.core.errors import InputError, reason_of
from tandem.data.columns import SourceColumn
from tandem.data.readers import SourceReader
from tandem.data.readers.files import a_file
from tandem.serving.errors import RequestError

PICTURES = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""Formats that are decoded in this process, which not all that Pillow knows are."""
MOST_PIXELS = 2**25
MOST_SAMPLES = 2**24
"""Of all channels of a recording together: some 6 minutes at 48 kHz."""
RATES = (
    *(8000, 11025, 12000, 16000, 22050, 24000, 32000),
    *(44100, 48000, 88200, 96000, 176400, 192000),
)
"""Samples a second; odd rates would need large filters to change them."""
BLOCK = 2**18
"""Samples that are decoded at a time to count them."""
CHARACTERS_PER_SYMBOL = 32
"""At least so many characters of a source are looked at for each symbol that it may have."""


def read_source(
    source: str,
    place: str,
    reader: SourceReader,
    *,
    most: int,
    sentence: Callable[[InputError], str],
) -> SourceColumn:
    """Read one source, which is refused if it is longer than ``most`` symbols.

    :param source: a text, or the Base64 of a file.
    :param place: how to name it in an error.
    :param sentence: the message of an error with remedies that whoever sends a request has.
    :raises RequestError: 413 if it is too long, and 422 if it is unusable.
    """
    most *= reader.positions_per_symbol
    try:
        if reader.media == "text":
            _check_characters(source, place, most, may_be_empty=not reader.needs_source)
            column = reader.read([source])
        else:
            with private_file(source, place, reader.media) as path:
                column = _read_file(path, place, reader)
    except InputError as error:
        raise RequestError(422, sentence(error)) from error
    length = int(column.lengths[0])
    if length > most:
        unit = "symbols" if reader.media == "text" else "vectors"
        raise RequestError(
            413,
            f"The source {place} has {length:,} {unit}, but this server reads at most {most:,}; "
            "shorten it.",
        )
    return column


def _check_characters(source: str, place: str, most: int, *, may_be_empty: bool) -> None:
    """Refuse what is too long before it is cut into symbols."""
    if not (may_be_empty or source.strip()):
        raise RequestError(422, f"The source {place} is empty; give it some text.")
    if len(source) > most * CHARACTERS_PER_SYMBOL:
        raise RequestError(
            413,
            f"The source {place} has {len(source):,} characters, but this server reads at most "
            f"{most:,} symbols; shorten it.",
        )


def _read_file(path: Path, place: str, reader: SourceReader) -> SourceColumn:
    """Read a file, whose name no error tells."""
    try:
        return reader.read([str(path)])
    except InputError as error:
        raise InputError(str(error).replace(str(path), place)) from error


@contextmanager
def private_file(source: str, place: str, media: str) -> Iterator[Path]:
    """The file whose Base64 a source is, for as long as it is read; only this user can.

    :raises RequestError: if it is no Base64, or no picture or recording that is decoded here.
    """
    try:
        content = base64.b64decode(source.partition("base64,")[2] or source, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(
            422,
            f"The source {place} is not the Base64 of {a_file(media)} ({reason_of(error)}); "
            "encode the file's bytes.",
        ) from error
    if not content:
        raise RequestError(422, f"The source {place} is empty; send {a_file(media)} in Base64.")
    if media == "image":
        _check_picture(content, place)
    if media == "audio":
        _check_recording(content, place)
    descriptor, name = tempfile.mkstemp(prefix="tandem-serve-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        yield Path(name)
    finally:
        os.unlink(name)


def _check_picture(content: bytes, place: str) -> None:
    """Refuse a picture in another format, or one that would take much room."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=PICTURES) as opened:
            width, height = opened.size
    except Exception as error:  # on damaged files the decoders raise many unrelated types
        raise RequestError(
            422,
            f"The source {place} is not a picture that can be read here; send a whole file in one "
            f"of the formats {', '.join(PICTURES)}.",
        ) from error
    if width * height > MOST_PIXELS:
        raise RequestError(
            413,
            f"The source {place} has {width:,} x {height:,} pixels, but this server reads at most "
            f"{MOST_PIXELS:,}; make it smaller.",
        )


def _check_recording(content: bytes, place: str) -> None:
    """Refuse a recording that would take much room, however little its file takes."""
    import soundfile

    samples = 0
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as opened:
            channels, rate = opened.channels, opened.samplerate
            if rate not in RATES:
                raise RequestError(
                    422,
                    f"The source {place} has {rate:,} samples a second, but this server reads "
                    f"{', '.join(map(str, RATES))}; convert it.",
                )
            while samples <= MOST_SAMPLES:
                count = len(opened.read(max(BLOCK // channels, 1), dtype="float32"))
                samples += count * channels
                if not count:
                    return
    except (soundfile.SoundFileError, OSError, EOFError, ValueError):
        return  # what is wrong with it the reader says
    raise RequestError(
        413,
        f"The source {place} has more than {MOST_SAMPLES:,} samples, which is more than this "
        "server reads; shorten it.",
    )
