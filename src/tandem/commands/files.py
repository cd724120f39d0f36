"""The texts that commands read, and files that they must not write over."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tandem.core.errors import InputError
from tandem.data.readers import SourceReader
from tandem.data.text_files import stream_lines
from tandem.inference import Bundle


class Lines:
    """The lines of a text file or of standard input, read as they are asked for.

    :param name: a path, or ``-`` for standard input.
    :param key: the option that names it, for errors.
    :param strip: remove whitespace at their ends.
    """

    def __init__(self, name: str, *, key: str, strip: bool) -> None:
        self.name, self.key, self.strip = name, key, strip

    @property
    def repeatable(self) -> bool:
        """Whether they can be read twice: from a pipe they cannot."""
        return self.name != "-" and not _is_stream(Path(self.name))

    def __iter__(self) -> Iterator[str]:
        """Each line.

        :raises InputError: if the file cannot be read, or is no text.
        """
        if self.name == "-":
            file, name = sys.stdin.buffer, "standard input"
        else:
            file, name = Path(self.name), f"the {self.key} {self.name}"
        for line, _ in stream_lines(file, name=name, strip=self.strip):
            if isinstance(line, InputError):
                raise line
            yield line


class OneSource(Lines):
    """A file that is a source itself, such as a picture: its path is the only line."""

    @property
    def repeatable(self) -> bool:
        """It can be read twice."""
        return True

    def __iter__(self) -> Iterator[str]:
        """The path."""
        yield self.name


def source_lines(name: str, reader: SourceReader, *, strip: bool, key: str = "input") -> Lines:
    """Lines of a file or of standard input, or the file itself if it is a source.

    :param reader: reads the model's sources.
    :param strip: see :class:`Lines`.
    :param key: the option that names it, for errors.
    """
    return (OneSource if reader.is_source(name) else Lines)(name, key=key, strip=strip)


def strips(bundle: Bundle) -> bool:
    """Whether training removed whitespace at the ends of texts; use does as it did."""
    return bundle.config["dataset"].get("strip") is True


def check_new(path: Path) -> None:
    """Refuse to write over a file."""
    if path.exists():
        raise InputError(f"The file {path} already exists; choose another output=... or remove it.")


def _is_stream(path: Path) -> bool:
    """Whether it is there and no plain file, such as a named pipe."""
    return path.exists() and not path.is_file()
