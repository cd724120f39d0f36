"""Parallel text: two files, or two rows of files, a split; one text a line."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import (
    any_file,
    check_on_bad_example,
    existing_folder,
    make_splits,
    read_parallel,
    split_file,
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
from tandem.data.text_files import Line, stream_lines


def parallel(
    *,
    data_dir: str,
    train: str,
    validation: Part,
    test: Part | None,
    seed: int,
    source: str,
    target: str,
    streaming: bool,
    on_bad_example: str,
) -> DatasetDict | StreamedSplits:
    """Load files such as ``train.en`` and ``train.de``, also ``train.en.gz`` or ``.zst``.

    :param data_dir: the folder of the files.
    :param train: the part of the training files' names before the dot, or a pattern such as
        ``train-*`` for several files, which are the shards of a stream.
    :param validation: the same for the validation files, or a share of the training pairs.
    :param test: the same for the test files; None: there is no test split.
    :param seed: what shares are drawn from.
    :param source: the part of the source files' names behind the dot, such as ``en``.
    :param target: the same for the target files.
    :param streaming: read the training pairs as a stream.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    check_on_bad_example(on_bad_example)
    folder = existing_folder(data_dir)
    splitting = Splitting(train=train, validation=validation, test=test, seed=seed)
    check_streaming(splitting, streaming=streaming)
    names = splitting.names(lambda name: any_file(folder, name, ending=f".{source}"))
    files = {split: _files(folder, split, name, source, target) for split, name in names.items()}
    shards = files.pop("train") if streaming else []
    loaded = make_splits(
        {
            split: (entry for pair in pairs for entry in read_parallel(pair.source, pair.target))
            for split, pairs in files.items()
        },
        on_bad_example=on_bad_example,
        splitting=splitting,
    )
    if not streaming:
        return loaded
    return StreamedSplits(Stream(shards, skip_bad=on_bad_example == "skip"), loaded)


def _files(folder: Path, split: str, name: str, source: str, target: str) -> list["ParallelFiles"]:
    """Return the pairs of files of a split."""
    sources = split_files(folder, split, name, ending=f".{source}")
    stems = [path.name[: path.name.rindex(f".{source}")] for path in sources]
    targets = [split_file(folder, split, stem, ending=f".{target}") for stem in stems]
    return [ParallelFiles(*pair) for pair in zip(sources, targets, strict=True)]


@dataclass(frozen=True)
class ParallelFiles(Shard):
    """Two files that belong together; a place is a byte of each, and how many lines lie before."""

    source: Path
    target: Path

    def read(self, start: Place) -> Iterator[tuple[Example, Place]]:
        """See :class:`Shard`."""
        before, behind, number = start or (0, 0, 0)
        lines = zip_longest(
            stream_lines(self.source, strip=True, offset=before, number=number),
            stream_lines(self.target, strip=True, offset=behind, number=number),
        )
        for one, other in lines:
            if one is None or other is None:
                short, long = (self.source, self.target)[:: 1 if one is None else -1]
                raise InputError(
                    f"The file {short} ends behind line {number}, but {long} goes on; check that "
                    "neither was cut or edited alone."
                )
            (source, before), (target, behind), number = one, other, number + 1
            yield self._example(source, target, number), (before, behind, number)

    def fingerprints(self) -> dict[str, Fingerprint]:
        """See :class:`Shard`."""
        return {str(path): file_fingerprint(path) for path in (self.source, self.target)}

    def _example(self, source: Line, target: Line, number: int) -> Example:
        if isinstance(source, InputError):
            return source
        if isinstance(target, InputError):
            return target
        return make_pair(
            source, target, f"{self.source} line {number}", f"{self.target} line {number}"
        )
