"""Waveforms: rows of samples, whose number survives."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tandem.core.errors import InputError
from tandem.data.features import File, PretrainedFeatures
from tandem.data.features.waveform import Waveform
from tandem.testing import check_features

PREPROCESSOR = {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": 8000}


def noise(length: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, length).astype(np.float32)


def recorded(samples: np.ndarray, rate: int) -> File:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="FLOAT")
    return File(path=None, bytes=file.getvalue())


@pytest.mark.parametrize("length", [1, 80, 81, 1000])
def test_rows_of_ten_milliseconds(length: int) -> None:
    features = Waveform(sampling_rate=8000, do_normalize=False)
    vectors = features(recorded(noise(length), 8000), "")
    rows = -(-length // 80)
    assert vectors.shape == (rows, features.width) == (rows, 81)
    assert vectors[:, 0].tolist() == [80] * (rows - 1) + [length - 80 * (rows - 1)]
    np.testing.assert_array_equal(vectors[:, 1:].ravel()[:length], noise(length))
    assert not vectors[:, 1:].ravel()[length:].any()
    assert features.seconds_per_vector == 0.01
    assert features.shown(vectors).shape == (rows, 41)


def test_normalized_and_resampled() -> None:
    features = PretrainedFeatures(preprocessor=PREPROCESSOR)
    vectors = features(recorded(noise(2000), 16000), "")
    assert vectors[:, 0].sum() == 1000
    samples = vectors[:, 1:].ravel()[:1000]
    assert samples.mean() == pytest.approx(0, abs=1e-6)
    assert samples.std() == pytest.approx(1, abs=1e-4)


def test_contract(tmp_path: Path) -> None:
    path = tmp_path / "noise.wav"
    soundfile.write(path, noise(1000), 8000)
    check_features(PretrainedFeatures(preprocessor=PREPROCESSOR), path)


@pytest.mark.parametrize(
    ("preprocessor", "text"),
    [
        ({"kind": "Other"}, "preprocessor.kind` must be one of Wav2Vec2.*, but is 'Other'; choose"),
        ({}, "but is ''; choose another checkpoint"),
        (
            {**PREPROCESSOR, "sampling_rate": 99},
            "sampling_rate` must be a whole number from 100 to 1,000,000, but is 99;",
        ),
        (
            {"kind": "WhisperFeatureExtractor", "n_fft": 10**9},
            "n_fft` must be a whole number from 1 to 10,000, but is 1000000000;",
        ),
    ],
)
def test_preprocessors_that_cannot_be(preprocessor: dict[str, object], text: str) -> None:
    with pytest.raises(InputError, match=text):
        PretrainedFeatures(preprocessor=preprocessor)
