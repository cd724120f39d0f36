"""Parts of recordings behind their paths: which samples they are, and what tells them apart."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tandem.core.errors import InputError
from tandem.data.audio import read_audio
from tandem.data.segments import content_of, find_segment, with_segment

RAMP = np.arange(8000) / 8000


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """One second whose samples say when they are."""
    soundfile.write(tmp_path / "a.flac", RAMP, 8000)
    return tmp_path / "a.flac"


def read(path: str) -> np.ndarray:
    samples, rate = read_audio(path, None, path, remedy="skip it")
    assert rate == 8000
    return samples


@pytest.mark.parametrize(
    ("begin", "duration", "fragment", "bounds"),
    [
        (None, None, "", (0, 8000)),
        (0.25, 0.5, "#t=0.25,0.75", (2000, 6000)),
        (0.9, None, "#t=0.9", (7200, 8000)),
        (0.0, 0.1, "#t=0,0.1", (0, 800)),
        (0.5, 0.75, "#t=0.5,1.25", (4000, 8000)),  # half a second behind the end is no error
        (1 / 3, 1e-3, "#t=0.333333,0.334333", (2667, 2675)),
    ],
)
def test_a_part_has_the_samples_between_its_times(
    recording: Path, begin: float | None, duration: float | None, fragment: str, bounds: tuple
) -> None:
    path = with_segment(recording, begin, duration)
    assert path == f"{recording}{fragment}"
    assert np.allclose(read(path), RAMP[slice(*bounds)], atol=1e-4)


def test_a_file_of_this_very_name_is_meant_as_a_whole(recording: Path) -> None:
    other = recording.rename(recording.with_name("a.flac#t=0.5"))
    assert len(read(str(other))) == 8000
    assert find_segment("b.wav#t=x").path == Path("b.wav#t=x")


@pytest.mark.parametrize("fragment", ["#t=1", "#t=0.5,0.5", "#t=0.7,0.2", "#t=0.5,1.6"])
def test_parts_that_are_not_there(recording: Path, fragment: str) -> None:
    with pytest.raises(InputError, match=r"cannot be read \(there is no part from .* of 1 s\);"):
        read(f"{recording}{fragment}")


def test_the_content_of_a_part_is_that_part(recording: Path) -> None:
    whole = content_of({"path": str(recording), "bytes": None})
    assert whole == recording.read_bytes()
    part = content_of({"path": f"{recording}#t=0.25,0.75", "bytes": None})
    samples, _ = read_audio(None, part, "a", remedy="skip it")
    assert np.allclose(samples, RAMP[2000:6000], atol=1e-4)
