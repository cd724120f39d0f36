"""Pictures as rows of pixels."""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from tandem.core.errors import InputError
from tandem.data.features.base import Features, File, Vectors
from tandem.data.features.picture_files import read_picture

MOST_PIXELS = 2**26
MODES = {1: "L", 3: "RGB"}


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
        flat = read_picture(file, place, background=self.background, mode=MODES[self.channels])
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
