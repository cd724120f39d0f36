"""Reading recordings of any kind, and resampling against sines that are known at any rate."""

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tandem.core.errors import InputError
from tandem.data.audio import read_audio, resample

RATIOS = [Fraction(*pair) for pair in ((8000, 22050), (2, 1), (1, 2), (10, 11), (10, 9), (97, 101))]


def sine(frequency: float, length: int) -> np.ndarray:
    """Frequency as a part of the sampling rate."""
    return np.sin(2 * np.pi * frequency * np.arange(length)).astype(np.float32)


def level(samples: np.ndarray) -> float:
    """Power of the middle part, beside a sine's of amplitude 1, in decibels."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return float(10 * np.log10(2 * np.mean(middle**2) + 1e-12))


@pytest.mark.parametrize("ratio", RATIOS, ids=str)
@pytest.mark.parametrize("part", [0.02, 0.3, 0.7])
def test_sines_below_the_edge_stay(ratio: Fraction, part: float) -> None:
    frequency = part * min(1, float(ratio)) / 2
    new = resample(sine(frequency, 3000), ratio)
    assert len(new) == -(-3000 * ratio.numerator // ratio.denominator)
    assert level(new - sine(frequency / float(ratio), len(new))) < -60


@pytest.mark.parametrize("ratio", [ratio for ratio in RATIOS if ratio < 0.95], ids=str)
def test_sines_above_the_new_nyquist_frequency_vanish(ratio: Fraction) -> None:
    frequency = (float(ratio) * 1.02) / 2
    assert level(resample(sine(frequency, 3000), ratio)) < -60


def test_same_rate_and_tiny_inputs() -> None:
    samples = sine(0.1, 5)
    assert resample(samples, Fraction(1)) is samples
    assert resample(samples[:1], Fraction(1, 2)).shape == (1,)
    assert resample(samples[:2], Fraction(7, 2)).shape == (7,)


@pytest.mark.parametrize(
    ("ending", "subtype", "tolerance"),
    [
        ("wav", "PCM_16", 1e-4),
        ("wav", "FLOAT", 1e-7),
        ("flac", "PCM_16", 1e-4),
        ("ogg", "VORBIS", 0.05),
        ("mp3", "MPEG_LAYER_III", 0.05),
    ],
)
def test_formats(tmp_path: Path, ending: str, subtype: str, tolerance: float) -> None:
    samples = 0.5 * sine(0.03, 16000)
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, samples, 16000, subtype=subtype)
    read, rate = read_audio(str(path), None, "a", remedy="skip it")
    assert rate == 16000
    assert read.dtype == np.float32
    assert np.abs(read[2000:14000] - samples[2000:14000]).max() < tolerance
    again, _ = read_audio(None, path.read_bytes(), "a", remedy="skip it")
    assert np.array_equal(read, again)


def test_channels_become_their_mean(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([[0.5, 0.25], [-0.5, 0.0]]), 8000, subtype="FLOAT")
    read, _ = read_audio(str(tmp_path / "a.wav"), None, "a", remedy="skip it")
    assert read.tolist() == [0.375, -0.25]


def content(samples: np.ndarray, kind: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, 8000, format=kind, subtype=subtype)
    return file.getvalue()


def message(path: str | None, raw: bytes | None) -> str:
    with pytest.raises(InputError) as caught:
        read_audio(path, raw, "x/a.wav", remedy="skip it")
    return str(caught.value)


def test_bad_recordings() -> None:
    assert message("nowhere.wav", None) == (
        "The recording x/a.wav does not exist; correct its path, or skip it."
    )
    assert message(None, None) == message("nowhere.wav", None)
    for raw in (b"", b"no sound", b"RIFF\x24\x00\x00\x00WAVEfmt "):
        text = message(None, raw)
        assert text.startswith("The recording x/a.wav cannot be read (")
        assert text.endswith("; replace it by a whole WAV, FLAC, Ogg or MP3 file, or skip it.")
    assert message(None, content(np.zeros(0), "WAV", "PCM_16")) == (
        "The recording x/a.wav has no samples; replace it, or skip it."
    )
    assert message(None, content(np.array([0.0, np.nan]), "WAV", "FLOAT")) == (
        "The recording x/a.wav has samples that are not finite numbers; replace it, or skip it."
    )


NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, 20000)
FORMATS = [
    *(
        ("WAV", "PCM_16"),
        ("WAV", "ULAW"),
        ("WAVEX", "FLOAT"),
        ("RF64", "PCM_16"),
        ("W64", "PCM_16"),
    ),
    *(
        ("AIFF", "PCM_16"),
        ("SVX", "PCM_16"),
        ("CAF", "PCM_16"),
        ("AU", "PCM_16"),
        ("NIST", "PCM_16"),
    ),
    *(("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")),
]


@pytest.mark.parametrize("part", [0.3, 0.5, 0.9])
@pytest.mark.parametrize(("kind", "subtype"), FORMATS, ids=" ".join)
def test_a_file_that_was_cut_off(kind: str, subtype: str, part: float) -> None:
    """libsndfile reads most of them as shorter ones."""
    whole = content(NOISE, kind, subtype)
    assert len(read_audio(None, whole, "a", remedy="skip it")[0]) == 20000
    assert "cannot be read (" in message(None, whole[: int(part * len(whole))])


def test_what_a_cut_file_announces(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content(NOISE, "WAV", "PCM_16")[:8022])
    assert message(str(path), None) == (
        "The recording x/a.wav cannot be read (it is cut off: its header announces 40044 bytes, "
        "but it has 8022); replace it by a whole WAV, FLAC, Ogg or MP3 file, or skip it."
    )
    whole = content(NOISE, "OGG", "VORBIS")
    assert "no Ogg page is marked as the last one" in message(None, whole[: whole.rindex(b"OggS")])


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF], ids=hex)
def test_streams_do_not_know_how_long_they_are(size: int) -> None:
    """Programs that write to a pipe cannot come back to the header."""
    wav = bytearray(content(NOISE, "WAV", "PCM_16"))
    wav[40:44] = size.to_bytes(4, "little")
    au = bytearray(content(NOISE, "AU", "PCM_16"))
    au[8:12] = (size and 0xFFFFFFFF).to_bytes(4, "big")
    flac = bytearray(content(NOISE, "FLAC", "PCM_16"))
    flac[21:26] = bytes([flac[21] & 0xF0, 0, 0, 0, 0])
    for raw in (wav, wav[:4] + wav[40:44] + wav[8:], au, flac):
        assert len(read_audio(None, bytes(raw), "a", remedy="skip it")[0]) == 20000


def test_a_part_of_a_stream(tmp_path: Path) -> None:
    flac = bytearray(content(NOISE, "FLAC", "PCM_16"))
    flac[21:26] = bytes([flac[21] & 0xF0, 0, 0, 0, 0])
    (tmp_path / "a.flac").write_bytes(flac)
    samples, _ = read_audio(f"{tmp_path}/a.flac#t=0.5,0.75", None, "a", remedy="skip it")
    assert np.allclose(samples, NOISE[4000:6000], atol=1e-4)
    assert "cannot be read" in message(None, bytes(flac[: len(flac) // 2]))


def test_what_stands_around_the_samples_is_no_part_of_them() -> None:
    note = b"LIST\x05\x00\x00\x00abcde\x00"
    wav, mp3 = content(NOISE, "WAV", "PCM_16"), content(NOISE, "MP3", "MPEG_LAYER_III")
    tag = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)
    ogg = content(NOISE, "OGG", "VORBIS")
    for raw in (wav[:36] + note + wav[36:], wav + note, tag + mp3, ogg + b"TAG" + bytes(125)):
        assert len(read_audio(None, raw, "a", remedy="skip it")[0]) == 20000
    assert "no samples" in message(None, content(NOISE[:0], "WAV", "PCM_16") + note)
    assert "cut off" in message(None, tag + mp3[: len(mp3) // 2])
