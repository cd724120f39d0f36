"""Pictures and recordings small enough to stand inside a page."""

import base64
import io
from pathlib import Path

from tandem.reports.reading import UnreadableError, read_bytes

MAX_WIDTH = 640
COLOURS = 64
PICTURE_LIMIT = 32 * 2**20
"""Bytes of a picture's file."""
MAX_PIXELS = 50_000_000
MEDIA_LIMIT = 400 * 2**10
"""Bytes of a file that goes into the page as it is."""
MEDIA_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".mp3": "audio/mpeg", ".wav": "audio/wav"}


def as_data_uri(path: Path) -> str | None:
    """The picture in few colours and of moderate size, as text; None if it cannot be read."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(read_bytes(path, PICTURE_LIMIT))) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                return None
            picture = opened.convert("RGB")
    except Exception:  # decoders raise whatever their code meets in a damaged file
        return None
    picture.thumbnail((MAX_WIDTH, MAX_WIDTH))
    buffer = io.BytesIO()
    picture.quantize(COLOURS).save(buffer, "PNG", optimize=True)
    return _uri("image/png", buffer.getvalue())


def media_uri(path: Path) -> str | None:
    """The copy of a source that a run keeps, as text; None if it is too large or of no type."""
    if path.suffix not in MEDIA_TYPES:
        return None
    try:
        return _uri(MEDIA_TYPES[path.suffix], read_bytes(path, MEDIA_LIMIT))
    except (OSError, UnreadableError):
        return None


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
