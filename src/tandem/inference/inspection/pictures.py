"""Pictures as data URLs, written without an image library."""

import base64
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

LARGEST = 1024
"""Pixels along a side; what is larger is averaged."""
DARK_TO_BRIGHT = ((0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191))
"""Colours of a spectrogram from its quietest to its loudest value."""

Numbers = npt.NDArray[Any]


def image_url(picture: Numbers) -> str:
    """A picture (H, W) or (H, W, 3) of bytes."""
    return _png(_smaller(picture).round().astype(np.uint8))


def spectrogram_url(frames: Numbers) -> str:
    """Frames (F, bands), drawn with time to the right and the lowest band at the bottom.

    The outermost 1 % of values on either side have the colour of what lies next to them.
    """
    upright = _smaller(frames.astype(np.float32).T[::-1])  # (bands, F)
    quiet, loud = np.percentile(upright, (1, 99))
    level = np.clip((upright - quiet) / max(loud - quiet, 1e-6), 0, 1)
    places = np.linspace(0, 1, len(DARK_TO_BRIGHT))
    channels = [np.interp(level, places, channel) for channel in zip(*DARK_TO_BRIGHT, strict=True)]
    return _png(np.stack(channels, axis=-1).round().astype(np.uint8))


def _smaller(picture: Numbers) -> Numbers:
    """(H, W, ...) with at most :data:`LARGEST` rows and columns."""
    for axis in (0, 1):
        every = -(-picture.shape[axis] // LARGEST)
        starts = np.arange(0, picture.shape[axis], every)
        sums = np.add.reduceat(picture.astype(np.float64), starts, axis=axis)
        counts = np.diff([*starts, picture.shape[axis]])
        picture = sums / np.expand_dims(counts, tuple(range(1, picture.ndim - axis)))
    return picture


def _png(pixels: npt.NDArray[np.uint8]) -> str:
    """Bytes (H, W) or (H, W, 3) as a data URL: ISO/IEC 15948."""
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    unfiltered = np.concatenate((np.zeros((height, 1), np.uint8), rows), axis=1)
    colour = 0 if pixels.ndim == 2 else 2
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(unfiltered.tobytes())),
            _chunk(b"IEND", b""),
        )
    )
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def _chunk(kind: bytes, content: bytes) -> bytes:
    """One part of a PNG file."""
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))
