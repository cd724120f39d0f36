"""The texts that commands read and write."""

import sys
from pathlib import Path

from tandem.config.launch import write_output
from tandem.core.errors import InputError
from tandem.data.readers import SourceReader


def read_sources(name: str, reader: SourceReader, *, key: str = "input") -> list[str]:
    """Lines of a file or of standard input, or the file itself if it is a source.

    :param reader: reads the model's sources.
    :param key: the option that names it, for errors.
    :raises InputError: if the file is missing or is not UTF-8.
    """
    return [name] if reader.is_source(name) else read_lines(name, key=key)


def read_lines(name: str, *, key: str) -> list[str]:
    """Lines of a text file, or of standard input if its name is ``-``."""
    where = "standard input" if name == "-" else name
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        lines = raw.decode("utf-8").split("\n")
    except OSError as error:
        raise InputError(
            f"The {key} {where} cannot be read ({error.strerror}); correct {key}=..."
        ) from error
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError(
            f"The {key} {where} is not UTF-8 in line {line}; convert it, for example with iconv."
        ) from error
    return [line.strip() for line in (lines[:-1] if lines[-1] == "" else lines)]


def check_new(path: Path) -> None:
    """Refuse to write over a file."""
    if path.exists():
        raise InputError(f"The file {path} already exists; choose another output=... or remove it.")


def write_new(path: Path, text: str) -> None:
    """Write a file that must not exist yet."""
    check_new(path)
    write_output(path, text)
