"""The texts that commands read and write."""

import sys
from pathlib import Path

from omegaconf import DictConfig

from tandem.config.launch import write_output
from tandem.core.errors import InputError
from tandem.data.features import Features
from tandem.inference.bundle import Bundle

LISTS = (".txt", ".lst", ".list")
"""How the names of files end that list the paths of pictures or recordings."""


def read_sources(name: str, from_files: bool, *, key: str = "input") -> list[str]:
    """Lines of a file or of standard input.

    :param from_files: whether the model reads pictures or recordings; a line is then the path of
        one, and ``name`` may be one itself.
    :param key: the option that names it, for errors.
    :raises InputError: if the file is missing or is not UTF-8.
    """
    if from_files and name != "-" and Path(name).suffix.lower() not in LISTS:
        return [name]
    return read_lines(name, key=key)


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


def check_lengths(bundle: Bundle, sources: list[str], cfg: DictConfig) -> None:
    """Refuse texts that are empty or longer than ``cfg.max_source_length`` symbols."""
    source = bundle.processors.source
    if isinstance(source, Features) or bundle.truncate_source is not None:
        return
    for number, ids in enumerate(source.encode_batch(sources), start=1):
        if not ids:
            raise InputError(f"Line {number} of the input is empty; every line needs a source.")
        if len(ids) > cfg.max_source_length:
            raise InputError(
                f"Line {number} of the input has {len(ids)} symbols, more than max_source_length="
                f"{cfg.max_source_length}; shorten it or raise max_source_length."
            )


def check_new(path: Path) -> None:
    """Refuse to write over a file."""
    if path.exists():
        raise InputError(f"The file {path} already exists; choose another output=... or remove it.")


def write_new(path: Path, text: str) -> None:
    """Write a file that must not exist yet."""
    check_new(path)
    write_output(path, text)
