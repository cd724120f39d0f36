"""Copies of sources for reports."""

import io
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import soundfile
from PIL import Image

from tandem.callbacks.media_copies import MAX_SECONDS, MAX_WIDTH, keep_copies
from tandem.data.module import DataModule
from tandem.reports.pictures import MEDIA_LIMIT, media_uri


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((2000, 1000), 50).save(buffer, "PNG")
    return buffer.getvalue()


def recording(rate: int) -> bytes:
    buffer = io.BytesIO()
    stereo = np.sin(np.arange(30 * rate)[:, None] / np.array([9, 11]))
    soundfile.write(buffer, stereo, rate, format="WAV")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("media", "content", "ending"),
    [
        ("image", picture(), "jpg"),
        ("audio", recording(8000), "mp3"),
        ("audio", recording(7000), "mp3"),  # a rate that the format does not have
    ],
)
def test_copies_are_small(tmp_path: Path, media: str, content: bytes, ending: str) -> None:
    (tmp_path / "file").write_bytes(content)
    files: list[dict[str, Any]] = [
        {"path": str(tmp_path / "file"), "bytes": None},
        {"path": None, "bytes": content},
    ]
    data = Mock(spec=DataModule, media=media, file=lambda split, index: files[index - 5])
    keep_copies(tmp_path, data, "test", [5, 6])
    paths = sorted((tmp_path / "media").iterdir())
    assert [path.name for path in paths] == [f"test-0.{ending}", f"test-1.{ending}"]
    for path in paths:
        assert path.stat().st_size < MEDIA_LIMIT / 4
        assert (media_uri(path) or "").startswith(f"data:{media}/")
        if media == "image":
            with Image.open(path) as copy:
                assert copy.size == (MAX_WIDTH, MAX_WIDTH // 2)
        else:
            assert soundfile.info(path).duration == pytest.approx(MAX_SECONDS, abs=0.2)


def test_texts_have_no_copies(tmp_path: Path) -> None:
    keep_copies(tmp_path, Mock(spec=DataModule, media="text"), "test", [0])
    assert not (tmp_path / "media").exists()
