"""Pictures small enough to stand inside a page."""

import base64
import io
from pathlib import Path

MAX_WIDTH = 640
COLOURS = 64


def as_data_uri(path: Path) -> str | None:
    """The picture in few colours and of moderate size, as text; None if it cannot be read."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
    except (OSError, UnidentifiedImageError):
        return None
    picture.thumbnail((MAX_WIDTH, MAX_WIDTH))
    buffer = io.BytesIO()
    picture.quantize(COLOURS).save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
