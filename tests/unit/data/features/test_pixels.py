"""Pictures of a few pixels, whose every value is known."""

import io
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tandem.core.errors import InputError
from tandem.data.features import File, PixelFeatures

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def pixels(**changes: Any) -> PixelFeatures:
    options = {"image_height": 2, "image_width": 2, "channels": 3, "background": 9, **changes}
    return PixelFeatures(**options)


def packed(image: Image.Image, kind: str = "PNG", **options: Any) -> File:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return {"path": None, "bytes": buffer.getvalue()}


def picture(*rows: list[Any], mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, (len(rows[0]), len(rows)))
    image.putdata([pixel for row in rows for pixel in row])
    return image


def test_a_row_of_pixels_is_a_vector() -> None:
    features = pixels()
    vectors = features(packed(picture([RED, GREEN], [BLUE, (1, 2, 3)])), "x")
    assert vectors.dtype == np.uint8
    assert vectors.tolist() == [[255, 0, 0, 0, 255, 0], [0, 0, 255, 1, 2, 3]]
    assert features.width == vectors.shape[1] == 6
    assert (features.media, features.copies) == ("image", 1)


def test_path_and_bytes_give_the_same(tmp_path: Path) -> None:
    image = picture([RED, GREEN], [BLUE, RED])
    image.save(tmp_path / "a.png")
    from_path = pixels()({"path": str(tmp_path / "a.png"), "bytes": None}, "a.png")
    assert from_path.tolist() == pixels()(packed(image), "x").tolist()


def test_grey() -> None:
    image = picture([0, 100], [200, 255], mode="L")
    assert pixels(channels=1)(packed(image), "x").tolist() == [[0, 100], [200, 255]]
    colours = pixels()(packed(image), "x")
    assert colours.tolist() == [[0, 0, 0, 100, 100, 100], [200, 200, 200, 255, 255, 255]]
    # ITU-R 601: 0.299 red + 0.587 green + 0.114 blue
    values = pixels(channels=1)(packed(picture([RED, GREEN], [BLUE, RED])), "x")
    assert values.tolist() == [[76, 150], [29, 76]]


def test_grey_of_16_bits() -> None:
    deep = Image.fromarray(np.array([[0, 256], [32768, 65535]], dtype=np.uint16))
    assert pixels(channels=1)(packed(deep), "x").tolist() == [[0, 1], [128, 255]]


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "YCbCr", "LA", "PA", "RGBA"])
def test_any_mode_is_read(mode: str) -> None:
    image = Image.new("RGB", (2, 2), (255, 255, 255)).convert("RGBA" if mode == "PA" else mode)
    vectors = pixels()(packed(image.convert(mode), "TIFF"), "x")
    assert vectors.min() > 250


def test_transparent_shows_the_background() -> None:
    rows = [[(255, 0, 0, 255), (0, 0, 0, 0)], [(0, 0, 0, 128), (0, 255, 0, 255)]]
    vectors = pixels(background=200)(packed(picture(*rows, mode="RGBA")), "x")
    half = 200 * (255 - 128) // 255
    assert vectors.tolist()[0] == [255, 0, 0, 200, 200, 200]
    assert vectors.tolist()[1][:3] == pytest.approx([half] * 3, abs=1)
    palette = Image.new("P", (2, 2), 0)
    palette.putpalette([10, 20, 30])
    assert (pixels()(packed(palette, transparency=0), "x") == 9).all()


def test_shape_is_kept_and_the_rest_filled() -> None:
    wide = pixels(image_height=4, image_width=4)(packed(Image.new("RGB", (8, 4), RED)), "x")
    assert wide.reshape(4, 4, 3)[:, 0].tolist() == [[9, 9, 9], [*RED], [*RED], [9, 9, 9]]
    high = pixels(image_height=4, image_width=4)(packed(Image.new("RGB", (1, 2), RED)), "x")
    assert high.reshape(4, 4, 3)[0].tolist() == [[9, 9, 9], [*RED], [*RED], [9, 9, 9]]


def test_a_line_keeps_one_pixel() -> None:
    vectors = pixels(channels=1)(packed(Image.new("L", (500, 1), 77)), "x")
    assert vectors.tolist() == [[77, 77], [9, 9]]


def test_shrinking_averages() -> None:
    checks = picture(*([[0, 255] * 8, [255, 0] * 8] * 8), mode="L")
    vectors = pixels(channels=1)(packed(checks), "x")
    assert np.abs(vectors.astype(int) - 127).max() < 20


def test_a_photograph_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to the right
    file = packed(picture([0, 100], [200, 255], mode="L"), "PNG", exif=exif)
    assert pixels(channels=1)(file, "x").tolist() == [[200, 0], [255, 100]]


def test_moving_picture_gives_its_first_frame() -> None:
    first, second = Image.new("L", (2, 2), 50), Image.new("L", (2, 2), 90)
    file = packed(first, "GIF", save_all=True, append_images=[second])
    assert (pixels(channels=1)(file, "x") == 50).all()


def test_same_options_same_name() -> None:
    """The cache goes by this text."""
    assert repr(pixels()) == (
        "PixelFeatures(image_height=2, image_width=2, channels=3, background=9, width=6)"
    )


def refused(file: File, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pixels()(file, "cat.png")


def test_damaged_files(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP"):
        whole = packed(Image.fromarray(noise), kind)["bytes"]
        assert whole is not None
        cut = whole[: len(whole) // 2]
        refused({"path": None, "bytes": cut}, r"^The picture cat\.png cannot be read \(.+\); rep")
    refused({"path": None, "bytes": b"no picture"}, r"^The picture cat\.png cannot be read \(.+\)")
    refused({"path": None, "bytes": b""}, r"^The picture cat\.png is empty \(0 bytes\); replace it")
    refused({"path": None, "bytes": None}, r"^The picture cat\.png has neither a path nor bytes")
    missing = {"path": str(tmp_path / "none.png"), "bytes": None}
    refused(missing, r"^The picture cat\.png cannot be read \(No such file or directory\); check")
    refused({"path": str(tmp_path), "bytes": None}, r"cannot be read \(Is a directory\); check the")


@pytest.mark.parametrize("side", [9_600, 30_000])
def test_decompression_bomb(side: int) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        checked = kind + body
        return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    refused(
        {"path": None, "bytes": bomb}, r"^The picture cat\.png has more than 89,478,485 pixels; mak"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_height": 0}, "`features.image_height` must be at least 1, but is 0."),
        ({"image_width": -1}, "`features.image_width` must be at least 1, but is -1."),
        ({"channels": 4}, "`features.channels` must be 1 (grey) or 3 (colours), but is 4."),
        (
            {"background": 256},
            "`features.background` must be a brightness between 0 and 255, but is 256.",
        ),
    ],
)
def test_options_that_cannot_be(changes: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        pixels(**changes)
