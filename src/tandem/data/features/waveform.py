"""Waveforms: the samples themselves, for networks that learn their own filters."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from tandem.core.errors import InputError
from tandem.data.audio import Samples, read_audio, resample
from tandem.data.features.base import Features, File, Vectors
from tandem.pretrained.samples import to_rows

ROWS_PER_SECOND = 100
"""As many as there are log-mel frames as a rule, so that budgets of batches fit both."""
VARIANCE_FLOOR = 1e-7
HIGHEST_RATE = 1_000_000
SKIP = "set data.on_bad_example=skip"


@dataclass(kw_only=True)
class Waveform(Features):
    """Reads a recording as ``Wav2Vec2FeatureExtractor`` of transformers does.

    :param sampling_rate: in Hz; recordings at other rates are resampled.
    :param do_normalize: whether a recording gets the mean 0 and the variance 1.
    """

    sampling_rate: int
    do_normalize: bool
    width: int = field(init=False)
    seconds_per_vector: float = field(init=False)

    media = "audio"

    def __post_init__(self) -> None:
        """Check the rate."""
        check_whole("sampling_rate", self.sampling_rate, ROWS_PER_SECOND, HIGHEST_RATE)
        size = round(self.sampling_rate / ROWS_PER_SECOND)
        self.width = 1 + size
        self.seconds_per_vector = size / self.sampling_rate

    def __call__(self, file: File, place: str, copy: int = 0) -> Vectors:
        """Read a recording: (L, width) float32, see :func:`tandem.pretrained.samples.to_rows`."""
        samples = read_resampled(file, place, self.sampling_rate)
        if self.do_normalize:
            deviation = np.sqrt(samples.var() + np.float32(VARIANCE_FLOOR))
            samples = (samples - samples.mean()) / deviation
        return to_rows(samples, self.width - 1)

    def shown(self, vectors: Vectors) -> Vectors:
        """Rows of samples (L, width) -> log power of their spectra (L, bands)."""
        samples = vectors[:, 1:].astype(np.float32)
        power = np.abs(np.fft.rfft(samples * np.hanning(samples.shape[1]))) ** 2
        return np.log(power + 1e-3).astype(np.float32)


def check_whole(key: str, value: int, least: int, most: int) -> None:
    """Refuse an option of a preprocessor that is no whole number between two others."""
    if type(value) is not int or not least <= value <= most:
        raise InputError(
            f"`features.preprocessor.{key}` must be a whole number from {least:,} to {most:,}, but "
            f"is {value!r}; correct the checkpoint's preprocessor_config.json."
        )


def read_resampled(file: File, place: str, sampling_rate: int) -> Samples:
    """Read a recording's samples at a sampling rate: (N,)."""
    samples, rate = read_audio(file["path"], file["bytes"], place, remedy=SKIP)
    return resample(samples, Fraction(sampling_rate, rate))
