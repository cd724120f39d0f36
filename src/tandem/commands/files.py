"""The texts that commands read, and files that they must not write over."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from tandem.core.errors import InputError
from tandem.data.compressed import open_text
from tandem.data.readers import SourceReader


class Lines:
    """The lines of a text file or of standard input, read as they are asked for.

    :param name: a path, or ``-`` for standard input.
    :param key: the option that names it, for errors.
    """

    def __init__(self, name: str, *, key: str) -> None:
        self.name, self.key = name, key

    @property
    def repeatable(self) -> bool:
        """Whether they can be read twice: from a pipe they cannot."""
        return self.name != "-" and not _is_stream(Path(self.name))

    def __iter__(self) -> Iterator[str]:
        """Each line without whitespace around it.

        :raises InputError: if the file cannot be read, or is not UTF-8.
        """
        where = "standard input" if self.name == "-" else self.name
        done = 0
        try:
            with self._opened() as file:
                for raw in file:
                    yield raw.decode("utf-8").strip()
                    done += 1
        except OSError as error:
            raise InputError(
                f"The {self.key} {where} cannot be read ({error.strerror}); correct {self.key}=..."
            ) from error
        except UnicodeDecodeError as error:
            raise InputError(
                f"The {self.key} {where} is not UTF-8 in line {done + 1}; convert it, for example "
                "with iconv."
            ) from error

    def _opened(self) -> AbstractContextManager[BinaryIO]:
        return nullcontext(sys.stdin.buffer) if self.name == "-" else open_text(Path(self.name))


class OneSource(Lines):
    """A file that is a source itself, such as a picture: its path is the only line."""

    @property
    def repeatable(self) -> bool:
        """It can be read twice."""
        return True

    def __iter__(self) -> Iterator[str]:
        """The path."""
        yield self.name


def source_lines(name: str, reader: SourceReader, *, key: str = "input") -> Lines:
    """Lines of a file or of standard input, or the file itself if it is a source.

    :param reader: reads the model's sources.
    :param key: the option that names it, for errors.
    """
    return OneSource(name, key=key) if reader.is_source(name) else Lines(name, key=key)


def check_new(path: Path) -> None:
    """Refuse to write over a file."""
    if path.exists():
        raise InputError(f"The file {path} already exists; choose another output=... or remove it.")


def _is_stream(path: Path) -> bool:
    """Whether it is there and no plain file, such as a named pipe."""
    return path.exists() and not path.is_file()
