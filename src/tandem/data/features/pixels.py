"""Pictures as rows of pixels."""

import io
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tandem.core.errors import InputError, reason_of
from tandem.data.features.base import Features, File, Vectors

MOST_PIXELS = 2**26
MODES = {1: "L", 3: "RGB"}
DEEP_GREY = "I;16"
"""How Pillow's names of modes with 16 bits of grey begin."""


@dataclass(kw_only=True)
class PixelFeatures(Features):
    """Reads a picture as one vector for each row of pixels.

    A picture keeps its shape: it is made as large as fits, and what is left over on two sides is
    filled up. What is transparent shows the background.

    :param image_height: rows of pixels, and so vectors of a picture.
    :param image_width: pixels of a row.
    :param channels: 1 for grey, 3 for red, green and blue.
    :param background: brightness of what is filled up or transparent, from 0 to 255.
    """

    image_height: int
    image_width: int
    channels: int
    background: int
    width: int = field(init=False)

    media = "image"

    def __post_init__(self) -> None:
        """Check the options."""
        for name in ("image_height", "image_width"):
            if getattr(self, name) < 1:
                raise InputError(
                    f"`features.{name}` must be at least 1, but is {getattr(self, name)}."
                )
        if self.image_height * self.image_width > MOST_PIXELS:
            raise InputError(
                f"Pictures may have {MOST_PIXELS:,} pixels, but `features.image_height` "
                f"({self.image_height}) times `features.image_width` ({self.image_width}) is more; "
                "lower one of them."
            )
        if self.channels not in MODES:
            raise InputError(
                f"`features.channels` must be 1 (grey) or 3 (colours), but is {self.channels}."
            )
        if not 0 <= self.background <= 255:
            raise InputError(
                "`features.background` must be a brightness between 0 and 255, but is "
                f"{self.background}."
            )
        self.width = self.image_width * self.channels

    def __call__(self, file: File, place: str, copy: int = 0) -> Vectors:
        """Read a picture: (image_height, image_width * channels) uint8, the channels last."""
        content = _content(file, place)
        try:
            flat = _decode(content, self.background, MODES[self.channels])
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
        return np.asarray(self._fitted(flat)).reshape(self.image_height, self.width)

    def shown(self, vectors: Vectors) -> Vectors:
        """Rows of pixels (H, W * channels) -> (H, W) or (H, W, 3)."""
        shape = (len(vectors), self.image_width, self.channels)
        return vectors.reshape(shape[: 2 if self.channels == 1 else 3])

    def _fitted(self, image: Image.Image) -> Image.Image:
        """Resize and fill up, with the picture in the middle."""
        scale = min(self.image_width / image.width, self.image_height / image.height)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        if size != image.size:
            image = image.resize(size, Image.Resampling.BICUBIC)
        left, top = (self.image_width - size[0]) // 2, (self.image_height - size[1]) // 2
        ground = (self.background,) * self.channels
        canvas = Image.new(image.mode, (self.image_width, self.image_height), ground)
        canvas.paste(image, (left, top))
        return canvas


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
