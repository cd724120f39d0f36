"""Whisper's log-mel frames, which always fill a window of 30 seconds."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from tandem.core.errors import InputError
from tandem.core.extras import check_extra
from tandem.data.features.base import Features, File, Vectors
from tandem.data.features.waveform import (
    HIGHEST_RATE,
    ROWS_PER_SECOND,
    SKIP,
    check_whole,
    read_resampled,
)

LARGEST_SIZE, LONGEST_WINDOW = 10_000, 3_600


@dataclass(kw_only=True)
class WhisperFrames(Features):
    """Reads a recording as ``WhisperFeatureExtractor`` of transformers does, without dither.

    Frames of silence at the end of the window are left out but for one, which stands for all of
    them: the encoder repeats it.

    :param sampling_rate: in Hz; recordings at other rates are resampled.
    :param feature_size: bands of a frame.
    :param hop_length: samples from a frame to the next.
    :param n_fft: samples that a frame covers.
    :param chunk_length: length of the window, in seconds.
    """

    sampling_rate: int
    feature_size: int
    hop_length: int
    n_fft: int
    chunk_length: int
    width: int = field(init=False)
    seconds_per_vector: float = field(init=False)

    media = "audio"

    def __post_init__(self) -> None:
        """Check the sizes."""
        check_whole("sampling_rate", self.sampling_rate, ROWS_PER_SECOND, HIGHEST_RATE)
        for key in ("feature_size", "hop_length", "n_fft"):
            check_whole(key, getattr(self, key), 1, LARGEST_SIZE)
        check_whole("chunk_length", self.chunk_length, 1, LONGEST_WINDOW)
        self.width = self.feature_size
        self.seconds_per_vector = self.hop_length / self.sampling_rate

    def __call__(self, file: File, place: str, copy: int = 0) -> Vectors:
        """Read a recording: (L, feature_size) float32.

        :raises InputError: if it is longer than the window, too.
        """
        samples = read_resampled(file, place, self.sampling_rate)
        seconds = len(samples) / self.sampling_rate
        if seconds > self.chunk_length:
            raise InputError(
                f"The recording {place} is {seconds:.1f} s long, but this checkpoint reads at most "
                f"{self.chunk_length} s; cut it, or {SKIP}."
            )
        options = (self.feature_size, self.sampling_rate, self.hop_length, self.n_fft)
        extract = _extractor(*options, self.chunk_length)
        window = extract(samples, sampling_rate=self.sampling_rate)["input_features"][0]
        frames = np.ascontiguousarray(window.T)  # (F, feature_size)
        differ = np.flatnonzero((frames != frames[-1]).any(axis=1))
        return frames[: differ.max(initial=-1) + 2]


@lru_cache(maxsize=4)
def _extractor(feature_size: int, rate: int, hop: int, n_fft: int, chunk: int) -> Any:
    """The extractor of transformers, whose filters take a moment to compute."""
    check_extra(
        "pretrained",
        "transformers",
        used_by="encoder=pretrained for Whisper",
        otherwise="choose another encoder",
    )
    from transformers import WhisperFeatureExtractor

    return WhisperFeatureExtractor(
        feature_size=feature_size,
        sampling_rate=rate,
        hop_length=hop,
        n_fft=n_fft,
        chunk_length=chunk,
    )
