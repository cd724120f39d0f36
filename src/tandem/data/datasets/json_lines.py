"""JSON Lines: one object a line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import (
    Entry,
    any_file,
    check_on_bad_example,
    existing_folder,
    make_splits,
    split_files,
)
from tandem.data.fingerprints import Fingerprint, file_fingerprint
from tandem.data.splitting import Part, Splitting, check_streaming
from tandem.data.stream import (
    Example,
    Place,
    Shard,
    Stream,
    StreamedSplits,
    make_pair,
)
from tandem.data.text_files import Line, read_lines, stream_lines


def json_lines(
    *,
    data_dir: str,
    train: str,
    validation: Part,
    test: Part | None,
    seed: int,
    source: str,
    target: str,
    references: str | None,
    streaming: bool,
    on_bad_example: str,
) -> DatasetDict | StreamedSplits:
    """Load files whose lines are objects such as ``{"document": "...", "summary": "..."}``.

    :param data_dir: the folder of the files.
    :param train: the training file's name, such as ``train.jsonl``, also compressed
        (``train.jsonl.gz``, ``.zst``), or a pattern such as ``train-*.jsonl`` for several files,
        which are the shards of a stream.
    :param validation: the validation file's name, or a share of the training lines.
    :param test: the same for test; None: there is no test split.
    :param seed: what shares are drawn from.
    :param source: the key of the source text; ``translation.de`` looks into an object.
    :param target: the key of the target text.
    :param references: the key of a list of acceptable outputs, or None.
    :param streaming: read the training pairs as a stream.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    check_on_bad_example(on_bad_example)
    folder = existing_folder(data_dir)
    splitting = Splitting(train=train, validation=validation, test=test, seed=seed)
    check_streaming(splitting, streaming=streaming)
    names = splitting.names(lambda name: any_file(folder, name))
    files = {split: split_files(folder, split, name) for split, name in names.items()}
    shards = files.pop("train") if streaming else []
    loaded = make_splits(
        {split: _read(paths, source, target, references) for split, paths in files.items()},
        on_bad_example=on_bad_example,
        splitting=splitting,
    )
    if not streaming:
        return loaded
    stream = Stream(
        [JsonLinesFile(path, source, target) for path in shards],
        skip_bad=on_bad_example == "skip",
    )
    return StreamedSplits(stream, loaded)


@dataclass(frozen=True)
class JsonLinesFile(Shard):
    """One file; a place is a byte, and how many lines lie before it."""

    path: Path
    source: str
    """A key, as in :func:`json_lines`."""
    target: str

    def read(self, start: Place) -> Iterator[tuple[Example, Place]]:
        """See :class:`Shard`."""
        offset, before = start or (0, 0)
        lines = stream_lines(self.path, strip=True, offset=offset, number=before)
        for number, (line, offset) in enumerate(lines, start=before + 1):
            if line:
                yield self._example(line, f"{self.path} line {number}"), (offset, number)

    def fingerprints(self) -> dict[str, Fingerprint]:
        """See :class:`Shard`."""
        return {str(self.path): file_fingerprint(self.path)}

    def _example(self, line: Line, place: str) -> Example:
        if isinstance(line, InputError):
            return line
        try:
            record = _parse(line, place)
            source, target = (
                _text(_field(record, key, place), key, place) for key in (self.source, self.target)
            )
        except InputError as error:
            return error
        return make_pair(source, target, place, place)


def _read(paths: list[Path], source: str, target: str, references: str | None) -> Iterator[Entry]:
    """Yield the entries of some files."""
    for path in paths:
        for number, line in enumerate(read_lines(path, strip=True), start=1):
            if not line:
                continue
            place = f"{path} line {number}"
            record = _parse(line, place)
            texts = [_text(_field(record, key, place), key, place) for key in (source, target)]
            listed = None if references is None else _texts(record, references, place)
            yield Entry(texts[0], texts[1], place, place, listed)


def _parse(line: str, place: str) -> dict[str, Any]:
    """Return a line's object."""
    try:
        record = json.loads(line)
    except ValueError as error:
        raise InputError(
            f"{place} is not JSON ({error}); each line must be one whole object."
        ) from error
    if not isinstance(record, dict):
        raise InputError(
            f"{place} must be a JSON object with keys, but is a {type(record).__name__}; each line "
            "must be one whole object."
        )
    return record


def _field(record: dict[str, Any], key: str, place: str) -> Any:
    """Return the value of a key, whose dots lead into objects unless the key itself has them."""
    if key in record:
        return record[key]
    value: Any = record
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            raise InputError(
                f"{place} has no key `{key}` (its keys are {', '.join(record) or 'none'}); set "
                "dataset.source and dataset.target to keys that every line has."
            )
        value = value[part]
    return value


def _text(value: Any, key: str, place: str) -> str:
    """Return a text that can be written as UTF-8; null counts as empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(
            f"The value of `{key}` at {place} must be text, but is a {type(value).__name__}; "
            "write it in quotes."
        )
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"The value of `{key}` at {place} has half of a surrogate pair "
            f"({value[error.start]!r}), which is no character; correct the line."
        ) from error
    return value.strip()


def _texts(record: dict[str, Any], key: str, place: str) -> list[str]:
    """Return the list of references."""
    values = _field(record, key, place)
    if not isinstance(values, list) or not values:
        raise InputError(
            f"The value of `{key}` at {place} must be a list of at least one text; correct the "
            "line or set dataset.references=null."
        )
    return [_text(value, key, place) for value in values]
