"""Parts of recordings, written behind their path: ``talk.wav#t=12.5,17`` (W3C Media Fragments)."""

import io
import re
from pathlib import Path
from typing import NamedTuple

from tandem.data.features.base import File

FRAGMENT = re.compile(r"#t=(?P<begin>\d+(?:\.\d+)?)(?:,(?P<end>\d+(?:\.\d+)?))?$")


class Segment(NamedTuple):
    """A recording, or a part of it."""

    path: Path
    begin: float
    """Seconds."""
    end: float | None
    """Seconds; None: the end of the recording."""

    @property
    def whole(self) -> bool:
        """Whether it is the whole recording."""
        return not self.begin and self.end is None


def with_segment(path: Path, begin: float | None, duration: float | None) -> str:
    """Return the path of a part of a recording.

    :param begin: seconds; None: its start.
    :param duration: seconds; None: up to its end.
    """
    if not begin and duration is None:
        return str(path)
    begin = begin or 0.0
    end = "" if duration is None else f",{_seconds(begin + duration)}"
    return f"{path}#t={_seconds(begin)}{end}"


def find_segment(path: str) -> Segment:
    """Return what a path means; a file that has exactly this name is meant as a whole."""
    match = FRAGMENT.search(path)
    if match is None or Path(path).exists():
        return Segment(Path(path), 0.0, None)
    end = match["end"]
    return Segment(
        Path(path[: match.start()]), float(match["begin"]), None if end is None else float(end)
    )


def content_of(file: File) -> bytes:
    """Return the content of a picture or recording; of a part of a recording, WAV of it."""
    if file["bytes"] is not None:
        return file["bytes"]
    segment = find_segment(file["path"] or "")
    if segment.whole:
        return segment.path.read_bytes()
    import soundfile

    from tandem.data.audio import read_audio

    samples, rate = read_audio(file["path"], None, str(file["path"]), remedy="leave it out")
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.clip(-1, 1), rate, format="WAV")
    return buffer.getvalue()


def _seconds(value: float) -> str:
    """Microseconds are more than any sampling rate needs."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
