"""The page's pixels are those of Python, but for two levels where Pillow goes another way."""

import base64
import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tandem.data.features import PixelFeatures
from tandem.data.features.base import File
from tandem.export.web.contents import PIXELS

READ = """async ([file, options]) => {
  const picture = fitted(await decoded(new Blob([fromBase64(file)]), options), options);
  return Array.from(picture.data);
}"""
EXACT, NEARLY = 0, 2


def picture(mode: str, width: int, height: int) -> Image.Image:
    """Waves and noise in all channels."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    y, x = np.mgrid[:height, :width]
    waves = [128 + 100 * np.sin(x / 7 + channel) * np.cos(y / 5) for channel in range(channels)]
    noise = np.random.default_rng(0).normal(0, 20, (height, width, channels))
    values = (np.stack(waves, axis=-1) + noise).clip(0, 255).astype(np.uint8)
    return Image.fromarray(values.squeeze() if channels == 1 else values)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def both(
    scripts: Any, content: bytes, features: PixelFeatures
) -> tuple[NDArray[Any], NDArray[Any]]:
    """What Python and the page read."""
    expected = features(File(bytes=content, path=None), "x").flatten()
    options = {key: getattr(features, key) for key in PIXELS}
    found = scripts.evaluate(READ, [base64.b64encode(content).decode(), options])
    return expected.astype(int), np.array(found)


@pytest.mark.parametrize(
    ("mode", "kind", "width", "height", "most"),
    [
        ("L", "PNG", 32, 24, EXACT),
        ("RGB", "PNG", 200, 131, EXACT),
        ("RGB", "PNG", 5, 3, EXACT),
        ("RGB", "JPEG", 90, 90, EXACT),
        ("L", "JPEG", 64, 40, EXACT),
        ("RGB", "WEBP", 64, 48, EXACT),
        ("RGBA", "PNG", 60, 50, NEARLY),
        ("L", "PNG", 90, 200, NEARLY),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels(
    scripts: Any, mode: str, kind: str, width: int, height: int, most: int, channels: int
) -> None:
    features = PixelFeatures(image_height=24, image_width=32, channels=channels, background=200)
    expected, found = both(scripts, encoded(picture(mode, width, height), kind), features)
    assert np.abs(expected - found).max() <= most


def test_a_turned_picture_stands_upright(scripts: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    features = PixelFeatures(image_height=24, image_width=32, channels=1, background=0)
    content = encoded(picture("L", 40, 30), "JPEG", exif=exif.tobytes())
    expected, found = both(scripts, content, features)
    assert np.abs(expected - found).max() <= NEARLY


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"nonsense", "This file is no picture that the browser can read."),
        (
            encoded(Image.fromarray(np.full((4, 4), 999, dtype=np.uint16)), "PNG"),
            "This picture has 16 bits a channel, which browsers round in another way; save it "
            "with 8.",
        ),
    ],
)
def test_other_files_are_refused(scripts: Any, content: bytes, sentence: str) -> None:
    said = scripts.evaluate(
        """async (file) => {
          try {
            await decoded(new Blob([fromBase64(file)]), { channels: 1, background: 0 });
          } catch (error) {
            return error instanceof Refusal && error.message;
          }
        }""",
        base64.b64encode(content).decode(),
    )
    assert said == sentence
