"""Pictures as the image processors of transformers read them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from tandem.core.errors import InputError
from tandem.data.features.base import Features, File, Vectors
from tandem.data.features.picture_files import read_picture
from tandem.data.features.pixels import MOST_PIXELS

CHANNELS = 3
WHITE = 255
KEY = "features.preprocessor"
PAIR, SHORTEST = ("height", "width"), "shortest_edge"
BYTE = 1 / 255
"""By what bytes are multiplied as a rule."""


@dataclass(kw_only=True)
class ImageProcessor(Features):
    """Reads a picture as one vector of bytes for each row of pixels.

    It is resized by Pillow, and its middle is cut out. That pixels are scaled and normed is left to
    the frontend, so that pictures are kept as bytes. What is transparent shows white, where
    transformers drops the transparency.

    :param do_resize: whether pictures are resized ...
    :param size: ... to ``height`` and ``width``, or such that the shorter side becomes
        ``shortest_edge``; a number means a square or the shorter side, by ``default_to_square``.
    :param resample: Pillow's number of the filter.
    :param do_center_crop: whether the middle is cut out ...
    :param crop_size: ... with this ``height`` and ``width``; a smaller picture gets a black edge.
    :param do_rescale: whether bytes are multiplied ...
    :param rescale_factor: ... by this.
    :param do_normalize: whether then of each channel ...
    :param image_mean: ... this is subtracted ...
    :param image_std: ... and it is divided by this.
    :raises InputError: if pictures would have different sizes, or an option is no such thing.
    """

    do_resize: bool
    size: Any
    default_to_square: bool
    resample: int
    do_center_crop: bool
    crop_size: Any
    do_rescale: bool
    rescale_factor: float
    do_normalize: bool
    image_mean: Sequence[float]
    image_std: Sequence[float]
    width: int = field(init=False)
    mean: Sequence[float] = field(init=False)
    std: Sequence[float] = field(init=False)

    media = "image"

    def __post_init__(self) -> None:
        """Check the options."""
        if self.resample not in [*Image.Resampling]:
            raise InputError(
                f"`{KEY}.resample` must be the number of a filter of Pillow, from 0 to 5, but is "
                f"{self.resample!r}; correct the checkpoint's preprocessor_config.json."
            )
        size = _sides(self.size, "size", square=self.default_to_square) if self.do_resize else None
        self._size = size
        self._crop = None
        if self.do_center_crop:
            self._crop = _sides(self.crop_size, "crop_size", square=True)
        whole = self._crop or size
        if not isinstance(whole, tuple):
            raise InputError(
                f"`{KEY}` leaves pictures of different sizes, but all must have one; set "
                f"{KEY}.do_center_crop=true, or {KEY}.size with `height` and `width`."
            )
        for key, values in (("image_mean", self.image_mean), ("image_std", self.image_std)):
            if not _are_numbers(values):
                raise InputError(
                    f"`{KEY}.{key}` must have a number for each of the {CHANNELS} channels, but is "
                    f"{values!r}; correct the checkpoint's preprocessor_config.json."
                )
        if self.do_rescale and not 0 < self.rescale_factor < math.inf:
            raise InputError(
                f"`{KEY}.rescale_factor` must be a number above 0, but is {self.rescale_factor!r}; "
                "correct the checkpoint's preprocessor_config.json."
            )
        self.height, self.image_width = whole
        self.width = self.image_width * CHANNELS
        self.mean, self.std = [0.0] * CHANNELS, [1.0] * CHANNELS
        if self.do_normalize:
            self.mean, self.std = self.image_mean, self.image_std
        if not self.do_rescale or self.rescale_factor != BYTE:
            factor = BYTE / (self.rescale_factor if self.do_rescale else 1.0)
            self.mean = [mean * factor for mean in self.mean]
            self.std = [std * factor for std in self.std]

    def __call__(self, file: File, place: str, copy: int = 0) -> Vectors:
        """Read a picture: (H, W * 3) uint8, the channels last."""
        image = read_picture(file, place, background=WHITE, mode="RGB")
        if self._size is not None:
            height, width = self._resized(image)
            if height * width > MOST_PIXELS:
                raise InputError(
                    f"The picture {place} has {image.width} x {image.height} pixels, which become "
                    f"{width} x {height}, but {MOST_PIXELS:,} are the most; cut it, or set "
                    "data.on_bad_example=skip to leave such examples out."
                )
            image = image.resize((width, height), Image.Resampling(self.resample))
        pixels = np.asarray(image)  # (H, W, 3)
        if self._crop is not None:
            pixels = _middle(pixels, (self.height, self.image_width))
        return pixels.reshape(self.height, self.width)

    def shown(self, vectors: Vectors) -> Vectors:
        """Rows of pixels (H, W * 3) -> (H, W, 3)."""
        return vectors.reshape(len(vectors), self.image_width, CHANNELS)

    def _resized(self, image: Image.Image) -> tuple[int, int]:
        """Height and width of a picture once it is resized."""
        if not isinstance(self._size, int):
            assert self._size is not None
            return self._size
        short, long = sorted((image.height, image.width))
        longer = int(self._size * long / short)
        return (longer, self._size) if image.width <= image.height else (self._size, longer)


def _are_numbers(values: Any) -> bool:
    """Whether there is one for each channel."""
    listed = values if isinstance(values, Sequence) else ()
    return len(listed) == CHANNELS and all(type(value) in (int, float) for value in listed)


def _sides(value: Any, key: str, *, square: bool) -> tuple[int, int] | int:
    """Height and width, or the length of the shorter side."""
    if type(value) is int:
        value = dict.fromkeys(PAIR, value) if square else {SHORTEST: value}
    if isinstance(value, Mapping):
        names = (SHORTEST,) if SHORTEST in value else PAIR
        sides: list[Any] = [value.get(name) for name in names]
        if all(type(side) is int and 0 < side**2 <= MOST_PIXELS for side in sides):
            return (sides[0], sides[1]) if len(sides) > 1 else sides[0]
    raise InputError(
        f"`{KEY}.{key}` must be `height` and `width`, or `shortest_edge`, whole numbers of pixels, "
        f"but is {value!r:.100}; correct the checkpoint's preprocessor_config.json."
    )


def _middle(pixels: Vectors, size: Sequence[int]) -> Vectors:
    """Cut out the middle (H, W, 3); where the picture is smaller it gets black edges."""
    edges = [max(0, wanted - side) for side, wanted in zip(pixels.shape, size, strict=False)]
    pixels = np.pad(pixels, [*((-(-edge // 2), edge // 2) for edge in edges), (0, 0)])
    top, left = ((side - wanted) // 2 for side, wanted in zip(pixels.shape, size, strict=False))
    return np.ascontiguousarray(pixels[top : top + size[0], left : left + size[1]])
