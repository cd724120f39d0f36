"""Sources of requests: what is read, and what is refused before it takes time or room."""

import base64
import io
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from tandem.data.features import LogMel, PixelFeatures
from tandem.data.readers import FileReader, SourceReader
from tandem.serving import sources
from tandem.serving.errors import RequestError
from tandem.serving.joined_column import JoinedColumn
from tandem.serving.sources import read_source

PICTURES = FileReader(
    PixelFeatures(image_height=4, image_width=6, channels=1, background=0), spec={}
)
RECORDINGS = FileReader(
    LogMel(
        sampling_rate=8000,
        num_mels=8,
        window_ms=25,
        shift_ms=10,
        dynamic_range=80,
        normalization="none",
        stack=1,
        speeds=[1.0],
    ),
    spec={},
)


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(buffer, kind)
    return buffer.getvalue()


def recording(rate: int, samples: int, channels: int = 1, kind: str = "WAV") -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).normal(scale=0.1, size=(samples, channels))
    soundfile.write(buffer, noise, rate, format=kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("reader", "content"),
    [
        (PICTURES, picture(3, 5)),
        (PICTURES, picture(6, 4, "JPEG")),
        (RECORDINGS, recording(8000, 1000)),
        (RECORDINGS, recording(44100, 5000, channels=2, kind="FLAC")),
    ],
    ids=["png", "jpeg", "wav", "flac"],
)
def test_a_file_is_read_as_the_reader_reads_it(
    reader: SourceReader, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(content)
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(private))
    expected = reader.read([str(tmp_path / "file")]).batch(np.array([0]))
    for source in (encoded(content), f"data:some/type;base64,{encoded(content)}"):
        column = read_source(source, "1", reader, most=100, sentence=str)
        for one, other in zip(column.batch(np.array([0])), expected, strict=True):
            assert one.equal(other)
    assert os.listdir(private) == []


PASSWORDS = encoded(b"/etc/passwd")
REFUSED = [
    (PICTURES, "/etc/passwd", 422, "The source 1 is not the Base64 of an image file ("),
    (PICTURES, "", 422, "The source 1 is empty; send an image file in Base64."),
    (PICTURES, PASSWORDS, 422, "The source 1 is not a picture that can be read here; send a whol"),
    (PICTURES, encoded(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), 422, "The source 1 "),
    (PICTURES, encoded(picture(5, 5)[:50]), 422, "The picture 1 cannot be read ("),
    (PICTURES, encoded(picture(300, 300)), 413, "The source 1 has 300 x 300 pixels, but this ser"),
    (RECORDINGS, PASSWORDS, 422, "The recording 1 cannot be read (Format not recognised); replace"),
    (RECORDINGS, encoded(recording(1, 1000)), 422, "The source 1 has 1 samples a second, but thi"),
    (RECORDINGS, encoded(recording(8000, 50)), 422, "The recording 1 is 6 ms long, but one frame"),
    (RECORDINGS, encoded(recording(8000, 9000)), 413, "The source 1 has 111 vectors, but this se"),
    (RECORDINGS, encoded(recording(8000, 40_000)), 413, "The source 1 has more than 20,000 sample"),
]


@pytest.mark.parametrize(("reader", "source", "status", "begins"), REFUSED, ids=range(len(REFUSED)))
def test_refusals(
    reader: SourceReader,
    source: str,
    status: int,
    begins: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sources, "MOST_PIXELS", 50_000)
    monkeypatch.setattr(sources, "MOST_SAMPLES", 20_000)
    with pytest.raises(RequestError) as caught:
        read_source(source, "1", reader, most=10, sentence=str)
    assert (caught.value.status, str(caught.value)[: len(begins)]) == (status, begins)
    assert str(tmp_path) not in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_nobody_else_can_read_the_file() -> None:
    with sources.private_file(encoded(b"content"), "1", "other") as path:
        assert path.read_bytes() == b"content"
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


def test_columns_of_one_source_each_are_as_one_column(tmp_path: Path) -> None:
    paths = []
    for number, samples in enumerate((400, 1000, 700)):
        paths.append(str(tmp_path / f"{number}.wav"))
        Path(paths[-1]).write_bytes(recording(8000, samples))
    whole = RECORDINGS.read(paths)
    joined = JoinedColumn([RECORDINGS.read([path]) for path in paths])
    for rows in (np.array([2, 0, 1]), np.array([0])):
        for one, other in zip(joined.batch(rows), whole.batch(rows), strict=True):
            assert one.equal(other)
        assert joined.take(rows).lengths.tolist() == whole.take(rows).lengths.tolist()
    assert joined.padded_lengths.tolist() == whole.padded_lengths.tolist()
