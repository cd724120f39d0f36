"""Picture files, read by Pillow."""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tandem.core.errors import InputError, reason_of
from tandem.data.features.base import File

DEEP_GREY = "I;16"
"""How Pillow's names of modes with 16 bits of grey begin."""


def read_picture(file: File, place: str, *, background: int, mode: str) -> Image.Image:
    """Read a picture: upright, with 8 bits a channel and nothing transparent.

    :param place: how to name it in an error.
    :param background: brightness of what shows where it is transparent, from 0 to 255.
    :param mode: L for grey, or RGB.
    :raises InputError: if it is missing, damaged or too large.
    """
    content = _content(file, place)
    try:
        return _decode(content, background, mode)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(
            f"The picture {place} has more than {Image.MAX_IMAGE_PIXELS:,} pixels; make it "
            "smaller, or set data.on_bad_example=skip to leave such examples out."
        ) from error
    except Exception as error:  # on damaged files the decoders raise many unrelated types
        reason = reason_of(error)
        raise InputError(
            f"The picture {place} cannot be read ({reason}); replace it, or set "
            "data.on_bad_example=skip to leave such examples out."
        ) from error


def _content(file: File, place: str) -> bytes:
    """Return the file's bytes."""
    content = file["bytes"]
    if content is None:
        if file["path"] is None:
            raise InputError(f"The picture {place} has neither a path nor bytes; give it one.")
        try:
            content = Path(file["path"]).read_bytes()
        except OSError as error:
            raise InputError(
                f"The picture {place} cannot be read ({reason_of(error)}); check the path, or set "
                "data.on_bad_example=skip to leave such examples out."
            ) from error
    if not content:
        raise InputError(
            f"The picture {place} is empty (0 bytes); replace it, or set data.on_bad_example=skip "
            "to leave such examples out."
        )
    return content


def _decode(content: bytes, background: int, mode: str) -> Image.Image:
    """Return the upright picture in a mode with 8 bits a channel and nothing transparent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata beside a readable picture
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(content)) as opened:
            image = ImageOps.exif_transpose(opened)
    if image.mode.startswith(DEEP_GREY):  # which Pillow would cut off at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, (background, background, background, 255))
        image = Image.alpha_composite(ground, image.convert("RGBA"))
    return image.convert(mode)
