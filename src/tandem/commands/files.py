"""The texts that commands read, and files that they must not write over."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tandem.core.errors import InputError, reason_of
from tandem.core.streams import is_closed
from tandem.data.compressed import ENDINGS, plain_suffix
from tandem.data.readers import SourceReader
from tandem.data.text_files import stream_lines
from tandem.inference import Bundle

JSON_LINES = ".jsonl"
"""How names of files end whose lines are JSON, not the texts themselves."""
FIELDS = {"input": ("source",), "source": ("source",), "target": ("target", "text")}
"""Keys of texts in JSON, by the option that names the file; ``text`` is what generate writes."""


class Lines:
    """The texts of a file or of standard input, read as they are asked for.

    Each line is a text; in a file whose name ends with ``.jsonl`` it is a JSON string, or an object
    that has the text under a key of :data:`FIELDS`, so that a text may have line feeds.

    :param name: a path, or ``-`` for standard input.
    :param key: the option that names it.
    :param strip: remove whitespace at the ends of texts.
    """

    def __init__(self, name: str, *, key: str, strip: bool) -> None:
        self.name, self.key, self.strip = name, key, strip

    @property
    def repeatable(self) -> bool:
        """Whether they can be read twice: from a pipe they cannot."""
        return self.name != "-" and not _is_stream(Path(self.name))

    def __iter__(self) -> Iterator[str]:
        """Each text.

        :raises InputError: if the file cannot be read, or is no text.
        """
        if self.name == "-":
            file, name = sys.stdin.buffer, "standard input"
        else:
            file, name = Path(self.name), f"the {self.key} {self.name}"
        is_json = plain_suffix(Path(self.name)).lower() == JSON_LINES
        lines = stream_lines(file, name=name, strip=self.strip)
        for number, (line, _) in enumerate(lines, start=1):
            if isinstance(line, InputError):
                raise line
            yield self._from_json(line, f"Line {number} of {name}") if is_json else line

    def _from_json(self, line: str, place: str) -> str:
        fields = FIELDS[self.key]
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"{place} is not JSON ({reason_of(error)}); write a string or an object on each "
                f"line, or give the file another ending than {JSON_LINES}."
            ) from error
        if isinstance(value, dict):
            value = next((value[field] for field in fields if field in value), None)
        if not isinstance(value, str):
            raise InputError(
                f"{place} must be a JSON string or an object with a string under the key "
                f"{' or '.join(fields)}; correct it."
            )
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InputError(
                f"{place} has half of a surrogate pair ({value[error.start]!r}), which is no "
                "character; correct it."
            ) from error
        return value.strip() if self.strip else value


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
    :param key: the option that names it.
    """
    return (OneSource if reader.is_source(name) else Lines)(name, key=key, strip=strip)


def strips(bundle: Bundle) -> bool:
    """Whether training removed whitespace at the ends of texts; use does as it did."""
    return bundle.config["dataset"].get("strip") is True


def check_input(name: str, *, key: str) -> None:
    """Refuse to read from a standard input that the command was started without."""
    if name == "-" and is_closed(sys.stdin):
        raise InputError(f"Standard input is closed; give a file: {key}=...")


def check_output(output: str) -> None:
    """Refuse to write over a file, to a name that promises compression, or to a closed stream."""
    if output == "-":
        if is_closed(sys.stdout):
            raise InputError("Standard output is closed; give a file: output=...")
        return
    path = Path(output)
    if path.suffix in ENDINGS:
        raise InputError(
            f"The output {path} would be plain, though its name ends with {path.suffix}; write "
            f"output={path.with_suffix('')} and compress it then."
        )
    check_new(path)


def check_new(path: Path) -> None:
    """Refuse to write over a file."""
    if path.exists():
        raise InputError(f"The file {path} already exists; choose another output=... or remove it.")


def writes_json(output: str, chosen: str, other: str) -> bool:
    """Whether lines of output are JSON.

    :param chosen: the option ``format``: auto, json, or the other one.
    :raises InputError: if it is none of them.
    """
    if chosen not in ("auto", other, "json"):
        raise InputError(f"`format` must be one of auto, {other}, json, but is {chosen!r}.")
    return chosen == "json" or (chosen == "auto" and Path(output).suffix.lower() == JSON_LINES)


def _is_stream(path: Path) -> bool:
    """Whether it is there and no plain file, such as a named pipe."""
    return path.exists() and not path.is_file()
