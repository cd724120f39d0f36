"""Small copies of pictures and recordings, for reports that show rows beside their sources."""

import io
from fractions import Fraction
from pathlib import Path

from tandem.core.files import write_atomically
from tandem.data.module import DataModule
from tandem.data.segments import content_of

FOLDER = "media"
"""In a run's folder: ``test-0.jpg`` or ``test-0.mp3`` is the source of the first test row."""
MAX_WIDTH = 240
"""Pixels of a picture's longer side."""
MAX_SECONDS = 20.0
"""Of a recording."""
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""Samples a second that the format has."""
SPEECH_RATE = 16000


def copy_of(kind: str, file_bytes: bytes) -> tuple[str, bytes]:
    """A small copy, as the ending of its name and its content.

    :param kind: what the bytes are: image or audio.
    :param file_bytes: the content of a file in any format that Pillow or libsndfile reads.
    """
    buffer = io.BytesIO()
    if kind == "image":
        from PIL import Image

        with Image.open(io.BytesIO(file_bytes)) as opened:
            picture = opened.convert("RGB")
        picture.thumbnail((MAX_WIDTH, MAX_WIDTH))
        picture.save(buffer, "JPEG", quality=85)
        return ".jpg", buffer.getvalue()
    import soundfile

    from tandem.data.audio import resample

    with soundfile.SoundFile(io.BytesIO(file_bytes)) as opened:
        rate = opened.samplerate
        samples = opened.read(int(MAX_SECONDS * rate), dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    if rate not in MP3_RATES:
        mono, rate = resample(mono, Fraction(SPEECH_RATE, rate)), SPEECH_RATE
    soundfile.write(buffer, mono, rate, format="MP3")
    return ".mp3", buffer.getvalue()


def keep_copies(folder: Path, data: DataModule, split: str, indices: list[int]) -> None:
    """Write a copy of the source of each row, if sources are pictures or recordings.

    :param folder: the run's folder.
    :param data: has the rows.
    :param indices: of the rows in the split.
    """
    if data.media not in ("image", "audio"):
        return
    for place, index in enumerate(indices):
        file = data.file(split, index)
        ending, copy = copy_of(data.media, content_of(file))
        write_atomically(folder / FOLDER / f"{split}-{place}{ending}", copy)
