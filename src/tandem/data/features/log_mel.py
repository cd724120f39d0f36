"""Log-mel filter banks: how loud each band of a recording is, every ten milliseconds."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import final

import kaldi_native_fbank as fbank
import numpy as np

from tandem.core.errors import InputError
from tandem.data.audio import Samples, read_audio, resample
from tandem.data.features.base import Features, File, Vectors

NORMALIZATIONS = ("none", "mean", "mean_variance")
INT16 = 32768
"""Kaldi's filter banks are of samples in this range."""
LOG_POWER_PER_DECIBEL = math.log(10) / 10
"""The bands hold natural logarithms of power."""
MOST_SPEEDS = 100
SKIP = "set data.on_bad_example=skip"


@final
class LogMel(Features):
    """Kaldi's log-mel filter banks without dither, so that a file always gives the same vectors.

    :param sampling_rate: in Hz; recordings at other rates are resampled.
    :param num_mels: bands between 20 Hz and half the sampling rate.
    :param window_ms: length of the window of one frame.
    :param shift_ms: from one frame to the next.
    :param dynamic_range: in decibels; what is quieter than the loudest band of the recording by
        more than this counts as just so quiet, so that digital silence does not stand out.
    :param normalization: of each band over one recording: none, mean (subtract it), or
        mean_variance (divide by the standard deviation, too).
    :param stack: how many frames side by side make one vector; the last frame fills the last one
        up.
    :param speeds: speeds at which training hears each recording (Ko et al. 2015), of which the
        first is 1.0; pitch changes with them.
    """

    media = "audio"
    of_copies = ("speeds", "copies")

    def __init__(
        self,
        *,
        sampling_rate: int,
        num_mels: int,
        window_ms: float,
        shift_ms: float,
        dynamic_range: float,
        normalization: str,
        stack: int,
        speeds: Sequence[float],
    ) -> None:
        if normalization not in NORMALIZATIONS:
            raise InputError(
                f"`features.normalization` ({normalization}) must be one of "
                f"{', '.join(NORMALIZATIONS)}."
            )
        for key, value, most in (
            ("sampling_rate", sampling_rate, 1_000_000),
            ("num_mels", num_mels, 10_000),
            ("window_ms", window_ms, 10_000),
            ("shift_ms", shift_ms, 10_000),
            ("dynamic_range", dynamic_range, 10_000),
            ("stack", stack, 1_000),
        ):
            if not 0 < value <= most:
                raise InputError(
                    f"`features.{key}` must be above 0 and at most {most:,}, but is {value}."
                )
        if shift_ms < 1 / 8:
            raise InputError(f"`features.shift_ms` must be at least 0.125, but is {shift_ms}.")
        if len(speeds) > MOST_SPEEDS:
            raise InputError(
                f"`features.speeds` must be at most {MOST_SPEEDS} numbers, but has {len(speeds):,}."
            )
        if not speeds or speeds[0] != 1 or not all(0.5 <= speed <= 2 for speed in speeds):
            raise InputError(
                f"`features.speeds` ({', '.join(map(str, speeds))}) must be numbers from 0.5 to 2 "
                "of which the first is 1.0, as evaluation uses that speed."
            )
        self.sampling_rate, self.normalization, self.stack = sampling_rate, normalization, stack
        self.speeds = [Fraction(speed).limit_denominator(100) for speed in speeds]
        self.window_ms, self.shift_ms, self.num_mels = window_ms, shift_ms, num_mels
        self.dynamic_range = dynamic_range
        self.width = num_mels * stack
        self.copies = len(speeds)
        self.seconds_per_vector = stack * shift_ms / 1000
        self._check_bands()

    def __call__(self, file: File, place: str, copy: int = 0) -> Vectors:
        """Read a recording: (L, width) float16."""
        samples, rate = read_audio(file["path"], file["bytes"], place, remedy=SKIP)
        samples = resample(samples, Fraction(self.sampling_rate, rate) / self.speeds[copy])
        frames = self._frames(samples)  # (F, num_mels)
        if not len(frames):
            raise InputError(
                f"The recording {place} is {1000 * len(samples) / self.sampling_rate:.0f} ms long, "
                f"but one frame takes {self.window_ms} ms; remove it, or {SKIP}."
            )
        floor = frames.max() - self.dynamic_range * LOG_POWER_PER_DECIBEL
        frames = np.maximum(frames, np.float32(floor))
        return self._stacked(self._normalized(frames)).astype(np.float16)

    def shown(self, vectors: Vectors) -> Vectors:
        """Vectors (L, width) -> frames (L * stack, num_mels)."""
        return vectors.reshape(-1, self.num_mels)

    def _frames(self, samples: Samples) -> Samples:
        """(N,) -> (F, num_mels); F is 0 if the recording is shorter than a window."""
        computer = fbank.OnlineFbank(self._options())
        computer.accept_waveform(self.sampling_rate, samples * INT16)
        computer.input_finished()
        count = computer.num_frames_ready
        frames = [computer.get_frame(number) for number in range(count)]
        return np.array(frames, dtype=np.float32).reshape(count, self.num_mels)

    def _options(self) -> fbank.FbankOptions:
        """Kaldi's settings; a band's energy has a floor of about 1e-7."""
        options = fbank.FbankOptions()
        options.frame_opts.samp_freq = self.sampling_rate
        options.frame_opts.frame_length_ms = self.window_ms
        options.frame_opts.frame_shift_ms = self.shift_ms
        options.frame_opts.dither = 0.0
        options.mel_opts.num_bins = self.num_mels
        return options

    def _normalized(self, frames: Samples) -> Samples:
        """(F, num_mels) -> the same."""
        if self.normalization == "none":
            return frames
        centered: Samples = frames - frames.mean(axis=0)
        if self.normalization == "mean":
            return centered
        deviation = np.maximum(frames.std(axis=0), np.float32(1e-3))  # silence stays at 0
        return (centered / deviation).astype(np.float32)

    def _stacked(self, frames: Samples) -> Samples:
        """(F, num_mels) -> (ceil(F / stack), stack * num_mels)."""
        missing = -len(frames) % self.stack
        filled = np.concatenate((frames, np.repeat(frames[-1:], missing, axis=0)))
        return filled.reshape(-1, self.width)

    def _check_bands(self) -> None:
        """Refuse bands so narrow that some hold no frequency of the window's spectrum."""
        try:
            fbank.OnlineFbank(self._options())
        except ValueError as error:
            raise InputError(
                f"`features.num_mels` ({self.num_mels}) must be at least 3, and so few that each "
                f"band has a frequency of a window of features.window_ms={self.window_ms} at "
                f"features.sampling_rate={self.sampling_rate}; lower it or use longer windows."
            ) from error
