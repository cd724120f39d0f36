"""Recordings as samples: reading them, and changing their sampling rate."""

import io
import math
from fractions import Fraction
from functools import lru_cache
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile

from tandem.core.errors import InputError
from tandem.data.audio_containers import whole_recording
from tandem.data.segments import Segment, find_segment

Samples = npt.NDArray[np.float32]
"""(N,) one channel, between -1 and 1."""

ZERO_CROSSINGS = 16
"""Of the resampling filter to each side; more make its edge steeper and its work longer."""
ROLLOFF = 0.87
"""Middle of the filter's edge, as a part of the lower of the two Nyquist frequencies."""
KAISER_BETA = 8.0
"""Shape of the filter's window; keeps what it shuts out below -75 dB."""
BLOCK = 1 << 20
"""Samples that are read at once where nobody knows how many there are."""
UNKNOWN_LENGTH = 1 << 48
"""More samples than a recording has: how libsndfile says that it does not know."""
OVERSHOOT = 0.5
"""Seconds by which a part may end behind its recording, as Kaldi allows."""


def read_audio(
    path: str | None, content: bytes | None, place: str, *, remedy: str
) -> tuple[Samples, int]:
    """Read a recording in any format that libsndfile knows: WAV, FLAC, Ogg, MP3 and others.

    :param path: the file, unless its content is given; ``talk.wav#t=1.5,3`` is a part of it.
    :param content: the file's content.
    :param place: how to name the recording in an error.
    :param remedy: what to do about a bad one.
    :return: the mean of its channels, and its sampling rate in Hz.
    """
    segment = find_segment(path or "")
    if content is None and not segment.path.is_file():
        raise InputError(f"The recording {place} does not exist; correct its path, or {remedy}.")
    try:
        with io.BytesIO(content) if content is not None else segment.path.open("rb") as file:
            samples, rate = _decode(whole_recording(file), segment)
    except (soundfile.SoundFileError, OSError, EOFError, ValueError) as error:
        reason = str(getattr(error, "error_string", error)).strip().rstrip(".")
        raise InputError(
            f"The recording {place} cannot be read ({reason}); replace it by a whole WAV, FLAC, "
            f"Ogg or MP3 file, or {remedy}."
        ) from error
    if not len(samples):
        raise InputError(f"The recording {place} has no samples; replace it, or {remedy}.")
    if not np.isfinite(samples).all():
        raise InputError(
            f"The recording {place} has samples that are not finite numbers; replace it, or "
            f"{remedy}."
        )
    return samples, rate


def _decode(file: BinaryIO, segment: Segment) -> tuple[Samples, int]:
    """Return all samples of a part; raises what the library raises if some are missing."""
    with soundfile.SoundFile(file) as opened:
        rate, length = opened.samplerate, opened.frames
        if length > UNKNOWN_LENGTH:
            return _decode_stream(file, segment), rate
        begin, end = _bounds(segment, length, rate)
        if begin:
            opened.seek(begin)
        most = -1 if segment.whole else end - begin  # as MP3 only estimates its length
        samples = opened.read(most, dtype="float32", always_2d=True)  # (N, channels)
        if len(samples) < end - begin and opened.format != "MP3":
            raise EOFError(f"it ends after {begin + len(samples)} of {length} samples")
        return samples.mean(axis=1, dtype=np.float32), rate


class _Stream(soundfile.SoundFile):  # type: ignore[misc]
    """What is read from its start to its end, as FLAC out of a pipe, which says no length."""

    def seekable(self) -> bool:
        """Looking for the end would fail."""
        return False


def _decode_stream(file: BinaryIO, segment: Segment) -> Samples:
    """Return the samples of a part where nobody knows how many there are."""
    file.seek(0)
    with _Stream(file) as opened:
        blocks = [opened.read(BLOCK, dtype="float32", always_2d=True)]
        while len(blocks[-1]) == BLOCK:
            blocks.append(opened.read(BLOCK, dtype="float32", always_2d=True))
        samples = np.concatenate(blocks).mean(axis=1, dtype=np.float32)
        begin, end = _bounds(segment, len(samples), opened.samplerate)
        return samples[begin:end]


def _bounds(segment: Segment, length: int, rate: int) -> tuple[int, int]:
    """Return the first sample of a part and the one behind its last."""
    if segment.whole:
        return 0, length
    begin = round(segment.begin * rate)
    end = length if segment.end is None else round(segment.end * rate)
    if end > length + OVERSHOOT * rate or not begin < min(end, length):
        raise EOFError(
            f"there is no part from {segment.begin:g} s to {end / rate:g} s in a recording of "
            f"{length / rate:g} s"
        )
    return begin, min(end, length)


def resample(samples: Samples, ratio: Fraction) -> Samples:
    """Change the sampling rate, or the speed with the pitch (Ko et al. 2015).

    Band-limited interpolation (Smith 2002): every new sample is a sum over old ones around it,
    weighted by a sinc under a Kaiser window, whose edge lies below the lower Nyquist frequency.

    :param ratio: new samples for each old one, such as ``Fraction(8000, 44100)``.
    :return: (ceil(N * ratio),)
    """
    if ratio == 1:
        return samples
    new, old = ratio.numerator, ratio.denominator
    weights = _filter(ratio)  # (new, taps): one row for each place between two old samples
    taps = weights.shape[1]
    length = math.ceil(len(samples) * ratio)
    padded = np.pad(samples, (taps // 2 - 1, taps // 2 + old))
    windows = np.lib.stride_tricks.sliding_window_view(padded, taps)  # (old places, taps)
    resampled = np.empty(length, dtype=np.float32)
    for phase in range(min(new, length)):
        count = len(range(phase, length, new))
        first = phase * old // new
        resampled[phase::new] = windows[first::old][:count] @ weights[phase]
    return resampled


@lru_cache(maxsize=16)
def _filter(ratio: Fraction) -> npt.NDArray[np.float32]:
    """Return the weights of the old samples for each of the ratio's phases."""
    edge = ROLLOFF * min(1.0, float(ratio))
    half = math.ceil(ZERO_CROSSINGS / edge)
    phases = np.arange(ratio.numerator) * ratio.denominator % ratio.numerator / ratio.numerator
    distance = np.arange(1 - half, half + 1) - phases[:, None]  # (new, 2 * half)
    inside = np.maximum(1 - (distance / half) ** 2, 0)
    window = np.i0(KAISER_BETA * np.sqrt(inside)) / np.i0(KAISER_BETA)
    weights: npt.NDArray[np.float32] = (edge * np.sinc(edge * distance) * window).astype(np.float32)
    return weights
