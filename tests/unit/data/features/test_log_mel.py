"""Log-mel frames against the formulas written out, and every option."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tandem.core.errors import InputError
from tandem.data.features import File, LogMel


def log_mel(**changes: Any) -> LogMel:
    options = {
        **{"sampling_rate": 8000, "num_mels": 20, "window_ms": 25, "shift_ms": 10},
        **{"dynamic_range": 200, "normalization": "none", "stack": 1, "speeds": [1.0]},
    }
    return LogMel(**{**options, **changes})


def recorded(samples: np.ndarray, rate: int = 8000) -> File:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="FLOAT")
    return File(path=None, bytes=file.getvalue())


def noise(length: int = 1000) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, length).astype(np.float32)


def by_hand(samples: np.ndarray, rate: int, bands: int) -> np.ndarray:
    """Kaldi's filter banks: windows that fit wholly, no mean, pre-emphasis, Povey's window."""
    size, shift = rate * 25 // 1000, rate * 10 // 1000
    fft = 2 ** int(np.ceil(np.log2(size)))
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / (size - 1))) ** 0.85

    def mel(hertz: Any) -> Any:
        return 1127 * np.log(1 + hertz / 700)

    points = np.linspace(mel(20), mel(rate / 2), bands + 2)
    bins = mel(np.arange(fft // 2) * rate / fft)
    up = (bins - points[:-2, None]) / (points[1:-1] - points[:-2])[:, None]
    down = (points[2:, None] - bins) / (points[2:] - points[1:-1])[:, None]
    filters = np.maximum(0, np.minimum(up, down))  # (bands, fft / 2)
    frames = []
    for start in range(0, len(samples) - size + 1, shift):
        piece = samples[start : start + size].astype(np.float64) * 32768
        piece = piece - piece.mean()
        piece = piece - 0.97 * np.concatenate((piece[:1], piece[:-1]))
        power = np.abs(np.fft.rfft(piece * window, fft)[: fft // 2]) ** 2
        frames.append(np.log(filters @ power))
    return np.array(frames)


@pytest.mark.parametrize(("rate", "bands"), [(8000, 20), (16000, 80)])
def test_formulas(rate: int, bands: int) -> None:
    vectors = log_mel(sampling_rate=rate, num_mels=bands)(recorded(noise(4000), rate), "")
    assert vectors.dtype == np.float16
    np.testing.assert_allclose(vectors, by_hand(noise(4000), rate, bands), atol=0.01)  # float16


def test_the_same_file_gives_the_same_vectors(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(recorded(noise())["bytes"] or b"")
    first = log_mel()(recorded(noise()), "")
    assert np.array_equal(first, log_mel()(File(path=str(tmp_path / "a.wav"), bytes=None), ""))


def test_normalization() -> None:
    plain = by_hand(noise(), 8000, 20)
    centered = plain - plain.mean(0)
    mean = log_mel(normalization="mean")(recorded(noise()), "")
    np.testing.assert_allclose(mean, centered, atol=0.003)
    both = log_mel(normalization="mean_variance")(recorded(noise()), "")
    np.testing.assert_allclose(both, centered / plain.std(0), atol=0.003)


def test_silence() -> None:
    vectors = log_mel(normalization="mean_variance")(recorded(np.zeros(800)), "")
    assert vectors.shape == (8, 20)
    assert np.abs(vectors).max() < 0.01


def test_dynamic_range() -> None:
    """Digital silence is raised to what lies so far below the loudest band."""
    file = recorded(np.concatenate((noise(), np.zeros(1000))))
    vectors = log_mel(dynamic_range=30)(file, "").astype(np.float64)
    assert vectors.min() == pytest.approx(vectors.max() - 3 * np.log(10), abs=0.02)
    assert log_mel()(file, "").min() < -15


def test_stacking_fills_up_with_the_last_frame() -> None:
    plain = log_mel()(recorded(noise()), "")
    assert len(plain) == 11  # 1 + (1000 - 200) // 80
    features = log_mel(stack=4)
    stacked = features(recorded(noise()), "")
    assert stacked.shape == (3, 80)
    assert (features.width, features.seconds_per_vector) == (80, 0.04)
    assert np.array_equal(stacked.reshape(12, 20)[:11], plain)
    assert np.array_equal(stacked.reshape(12, 20)[11], plain[10])
    assert np.array_equal(features.shown(stacked)[:11], plain)


def test_speeds_change_length_and_pitch() -> None:
    """A tone of 1 kHz, played 1.25 times as fast, is one of 1.25 kHz and shorter."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)
    features = log_mel(speeds=[1.0, 1.25, 0.8])
    assert features.copies == 3
    for copy, (length, hertz) in enumerate([(8000, 1000), (6400, 1250), (10000, 800)]):
        vectors = features(recorded(tone), "", copy)
        same = log_mel()(recorded(np.sin(2 * np.pi * hertz * np.arange(length) / 8000)), "")
        assert vectors.shape == same.shape
        loudest = same > same.max() - 3  # 13 dB
        np.testing.assert_allclose(vectors[loudest], same[loudest], atol=0.1)


def test_other_rates_are_resampled() -> None:
    def tone(rate: int) -> File:
        return recorded(np.sin(2 * np.pi * 440 * np.arange(rate) / rate), rate)

    same, other = log_mel()(tone(8000), ""), log_mel()(tone(44100), "")
    assert same.shape == other.shape
    loudest = same > same.max() - 3
    np.testing.assert_allclose(other[loudest], same[loudest], atol=0.1)


def test_too_short() -> None:
    with pytest.raises(InputError) as caught:
        log_mel()(recorded(noise(199)), "x/a.wav")
    assert str(caught.value) == (
        "The recording x/a.wav is 25 ms long, but one frame takes 25 ms; remove it, or set "
        "data.on_bad_example=skip."
    )
    assert len(log_mel()(recorded(noise(200)), "")) == 1


def test_bad_files_are_named() -> None:
    with pytest.raises(InputError, match=r"The recording x/a\.wav cannot be read .*on_bad_example"):
        log_mel()(File(path=None, bytes=b"no sound"), "x/a.wav")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"normalization": "max"}, r"`features.normalization` \(max\) must be one of none, mean,"),
        ({"stack": 0}, "`features.stack` must be above 0 and at most 1,000, but is 0"),
        (
            {"dynamic_range": -1},
            "`features.dynamic_range` must be above 0 and at most 10,000, but is -1",
        ),
        (
            {"speeds": [0.9, 1.0]},
            r"`features.speeds` \(0.9, 1.0\) must be numbers from 0.5 to 2 of",
        ),
        ({"shift_ms": 0.01}, "`features.shift_ms` must be at least 0.125, but is 0.01"),
        ({"speeds": [1.0] * 200}, "`features.speeds` must be at most 100 numbers, but has 200"),
        ({"speeds": []}, r"`features.speeds` \(\) must be"),
        ({"speeds": [1.0, 3.0]}, r"`features.speeds` \(1.0, 3.0\)"),
        ({"num_mels": 200}, r"`features.num_mels` \(200\) must be at least 3, and so few"),
        ({"num_mels": 2}, r"`features.num_mels` \(2\) must be at least 3"),
    ],
)
def test_options_that_cannot_be(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        log_mel(**changes)
