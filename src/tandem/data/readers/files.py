"""Sources that are files: pictures, recordings, or what an own part reads."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np

from tandem.data.columns import VectorColumn
from tandem.data.features.base import Features, File, Vectors
from tandem.data.readers.base import Preview, SourceReader, SplitSources
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.data.vector_cache import SplitFiles, read_vectors

if TYPE_CHECKING:
    from datasets import Dataset

LISTS = (".txt", ".lst", ".list")
"""How the names of files end that list the paths of others."""


@final
class FileReader(SourceReader):
    """Reads files as vectors.

    :param features: turns one file into vectors.
    :param spec: what describes the features in a bundle, as plain data with ``_target_``.
    """

    positions_per_symbol = 10
    features: Features

    def __init__(self, features: Features, *, spec: Mapping[str, Any]) -> None:
        self.features = features
        self.spec = spec
        self.media = features.media
        self.size = features.width
        self.prompt = f"the path of {a_file(self.media)}"

    def read(self, sources: list[str]) -> VectorColumn:
        """Files as vectors, in memory."""
        read = [self.features(File(path=path, bytes=None), path) for path in sources]
        offsets = np.concatenate(([0], np.cumsum([len(vectors) for vectors in read])))
        return VectorColumn(np.concatenate(read), offsets, np.arange(len(read)))

    def read_split(
        self, split: "Dataset", name: str, *, training: bool, skip_bad: bool
    ) -> SplitSources:
        """See :class:`SourceReader`; training reads all copies, copy 0 of all examples first."""
        files = SplitFiles(
            features=self.features,
            identity=self.identity(),
            files=split["source"],
            name=name,
            place=self.place,
            copies=self.features.copies if training else 1,
            skip_bad=skip_bad,
        )
        return SplitSources(*read_vectors(files))

    def check_lines(self, lines: list[str], *, most: int, first: int = 1) -> None:
        """See :class:`SourceReader`; how long a file is shows when it is read."""

    def is_source(self, name: str) -> bool:
        """Whether it is neither standard input nor the name of a list of paths."""
        return name != "-" and Path(name).suffix.lower() not in LISTS

    def place(self, source: File, split: str, row: int) -> str:
        """The path, or where the example stands if there is none."""
        return source["path"] or super().place(source, split, row)

    def preview(self, positions: Vectors) -> Preview:
        """The picture, or the spectrogram."""
        seconds = self.features.seconds_per_vector * len(positions)
        return Preview(self.features.shown(positions), seconds)

    def identity(self) -> str:
        """The features with all their options."""
        return self._description()

    def evaluated_identity(self) -> str:
        """See :class:`SourceReader`."""
        return self._description(self.features.of_copies)

    def _description(self, without: Collection[str] = ()) -> str:
        kind, options = type(self.features), vars(self.features)
        kept = sorted((name, value) for name, value in options.items() if name not in without)
        return f"{kind.__module__}.{kind.__qualname__} {kept}"

    def to_bundle(self, folder: Path, *, shared: bool) -> dict[str, Any]:
        """See :class:`SourceReader`."""
        return {"features": dict(self.spec)}

    @classmethod
    def from_bundle(
        cls,
        options: dict[str, Any],
        *,
        open_file: Callable[[str], Path],
        build: Callable[[Any], Any],
        shared: Tokenizer | None,
    ) -> Self:
        """See :class:`SourceReader`."""
        return cls(build(options["features"]), spec=options["features"])


def a_file(media: str) -> str:
    """What a source of some kind is, for a sentence: an image file."""
    return f"{'an' if media[0] in 'aeiou' else 'a'} {media} file"
