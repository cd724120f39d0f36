"""Kaldi's data folders: ``wav.scp`` and ``text``, and ``utt2spk`` and ``segments`` if there are."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tandem.core.errors import InputError
from tandem.data.rows.base import Record
from tandem.data.text_files import read_lines

DECODERS = ("flac", "cat")
"""Programs of a pipe that only read a file, which can then be read without them."""


class Listed(NamedTuple):
    """A line ``key value``."""

    value: str
    place: str


def read_kaldi(folder: Path) -> Iterator[Record | InputError]:
    """Yield a row for each utterance of ``text``, in its order.

    The columns are ``utterance``, ``file``, ``text``, ``speaker`` and, with ``segments``,
    ``begin`` and ``duration`` in seconds. An utterance without a recording is yielded as an error.

    :raises InputError: if a file or line is not as Kaldi has it, or a recording comes out of a pipe
        or an archive.
    """
    recordings = {
        key: Listed(_file(line), line.place) for key, line in _table(folder / "wav.scp").items()
    }
    speakers = _optional(folder / "utt2spk")
    segments = _optional(folder / "segments")
    parts = {key: _segment(line) for key, line in segments.items()}
    for key, line in _table(folder / "text").items():
        name, begin, duration = parts.get(key, (key, None, None))
        recording, speaker = recordings.get(name), speakers.get(key)
        if recording is None:
            yield InputError(
                f"The utterance {key} of {line.place} has no recording {name} in "
                f"{folder / 'wav.scp'}; add it, or set data.on_bad_example=skip."
            )
            continue
        yield Record(
            f"{line.place} ({recording.place})",
            {
                "utterance": key,
                "file": recording.value,
                "text": line.value,
                "speaker": None if speaker is None else speaker.value,
                **({"begin": begin, "duration": duration} if parts else {}),
            },
        )


def is_kaldi(folder: Path) -> bool:
    """Whether a folder is one of Kaldi's."""
    return (folder / "wav.scp").is_file() and (folder / "text").is_file()


def _optional(path: Path) -> dict[str, Listed]:
    return _table(path) if path.is_file() else {}


def _table(path: Path) -> dict[str, Listed]:
    """Return what stands behind the first word of each line, by that word."""
    lines: dict[str, Listed] = {}
    for number, line in enumerate(read_lines(path, strip=False), start=1):
        if not line.strip():
            continue
        key, *rest = line.split(maxsplit=1)
        place = f"{path} line {number}"
        if key in lines:
            raise InputError(
                f"{place} has the key {key} again, which {lines[key].place} has; each may occur "
                "once, so remove one of them."
            )
        lines[key] = Listed(rest[0].strip() if rest else "", place)
    return lines


def _file(line: Listed) -> str:
    """Return the file of a line of ``wav.scp``."""
    value, place = line
    if value.endswith("|"):
        words = shlex.split(value[:-1])
        files = [word for word in words[1:] if not word.startswith("-")]
        if words and Path(words[0]).name in DECODERS and len(files) == 1:
            return files[0]
        raise InputError(
            f"{place} is a command, which is not run; write what it puts out into WAV or FLAC "
            "files and name those."
        )
    name, colon, offset = value.rpartition(":")
    if colon and offset.isdigit() and name.endswith(".ark"):
        raise InputError(
            f"{place} is a place in an archive, which is not read; copy the archive's recordings "
            "into WAV files, for example with wav-copy, and name those."
        )
    return value


def _segment(line: Listed) -> tuple[str, float, float | None]:
    """Return recording, begin and duration of a line ``utterance recording begin end``."""
    words = line.value.split()
    try:
        name, begin, end = words[0], float(words[1]), float(words[2])
        if len(words) > 4:
            raise ValueError(f"{len(words)} words")
    except (ValueError, IndexError) as error:
        raise InputError(
            f"{line.place} must be an utterance, its recording, and where it begins and ends in "
            "seconds; correct the line."
        ) from error
    return name, begin, None if end < 0 else end - begin  # -1: the end of the recording
