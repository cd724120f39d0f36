"""From what a dataset holds to numbers, and from ids back to text."""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from rich.progress import track

from tandem import __version__
from tandem.core.errors import InputError
from tandem.core.files import write_atomically
from tandem.core.types import SPECIAL_IDS
from tandem.data.cache import cache_folder, content_key, keep
from tandem.data.columns import Rows, VectorColumn
from tandem.data.features import Features, File, Vectors
from tandem.data.ragged import Ragged
from tandem.data.tokenizers.base import TokenizerRecipe
from tandem.data.tokenizers.tokenizer import Tokenizer

logger = logging.getLogger(__name__)

Texts = Callable[[str], Iterable[str]]
"""Reads the training texts of a column, ``source`` or ``target``."""


@dataclass(frozen=True)
class Processors:
    """What reads the source and what reads and writes the target."""

    source: Tokenizer | Features
    """The same object as the target's if both sides share one vocabulary."""
    target: Tokenizer

    @property
    def shared(self) -> bool:
        """Whether both sides have one vocabulary."""
        return self.source is self.target

    @property
    def source_size(self) -> int:
        """Symbols of the source's vocabulary, or the size of its vectors."""
        if isinstance(self.source, Features):
            return self.source.width
        return self.source.vocabulary_size


@dataclass(frozen=True)
class LearnProcessors:
    """Learns the tokenizers from the training split, and only from it.

    :raises InputError: if the sides share a tokenizer but have different recipes.
    """

    features: Features | None
    """What reads sources that are not text."""
    source_recipe: TokenizerRecipe
    target_recipe: TokenizerRecipe

    def __post_init__(self) -> None:
        if self.shared and self.source_recipe != self.target_recipe:
            raise InputError(
                "tokenizer.shared=true needs one recipe for both sides, but `source_tokenizer` "
                "differs from `tokenizer`; set tokenizer.shared=false or source_tokenizer=null."
            )

    @property
    def shared(self) -> bool:
        """Whether both sides get one vocabulary."""
        return self.features is None and self.target_recipe.shared

    def __call__(self, texts: Texts) -> Processors:
        """Learn from the columns ``source``, if it is text, and ``target``."""
        if self.shared:
            one = _learned(self.target_recipe, texts, ("source", "target"))
            return Processors(one, one)
        source = self.features or _learned(self.source_recipe, texts, ("source",))
        return Processors(source, _learned(self.target_recipe, texts, ("target",)))


def _learned(recipe: TokenizerRecipe, texts: Texts, columns: tuple[str, ...]) -> Tokenizer:
    """Learn a tokenizer, or read it from the cache if the same was learnt from the same texts."""

    def all_texts() -> Iterator[str]:
        return chain.from_iterable(texts(column) for column in columns)

    path = cache_folder() / "tokenizers" / f"{content_key(repr(recipe), all_texts())}.json"
    if path.is_file():
        return Tokenizer.from_json(path.read_text(encoding="utf-8"))
    tokenizer = recipe.train(all_texts())
    keep(lambda: write_atomically(path, tokenizer.to_json().encode()), path)
    return tokenizer


def encode_files(
    features: Features, split: Dataset, name: str, *, copies: int, skip_bad: bool
) -> tuple[VectorColumn, Rows]:
    """Read the files of a split, or map what was read before from the cache.

    :param name: of the split, for errors.
    :param copies: versions of each example; all of version 0 come before all of version 1. Of
        examples with equal files one is read and kept.
    :param skip_bad: leave out, and count, examples whose files are unusable.
    :return: the vectors, and the row of the split that each belongs to.
    :raises InputError: if a file is unusable and ``skip_bad`` is false.
    """
    fingerprints = list(_fingerprints(split))
    distinct: dict[str, int] = {}
    for row, text in enumerate(fingerprints):
        distinct.setdefault(text, row)
    key = content_key(__version__, features.recipe(), str(copies), sorted(distinct))
    store = cache_folder() / "features" / key
    stored = _load_vectors(store)
    if stored is None or not (skip_bad or len(stored.places) == len(distinct)):
        _write_vectors(store, features, split, name, distinct, copies=copies, skip_bad=skip_bad)
        stored = _load_vectors(store)
        assert stored is not None
    if len(stored.places) < len(distinct):
        logger.warning(
            "Skipped %d of %d %s files: %s",
            len(distinct) - len(stored.places),
            len(distinct),
            name,
            stored.first_error,
        )
    rows = [row for row, text in enumerate(fingerprints) if text in stored.places]
    places = np.array([stored.places[fingerprints[row]] for row in rows])  # of version 0
    each = copies * len(rows)
    chosen = (places + len(stored.places) * np.arange(copies)[:, None]).reshape(each)
    return VectorColumn(stored.values, stored.offsets, chosen), np.tile(rows, copies)


@dataclass(frozen=True)
class _Stored:
    """Vectors of distinct files: first version 0 of all of them, then version 1 and so on."""

    values: Vectors
    offsets: Rows
    places: dict[str, int]
    """By fingerprint."""
    first_error: str
    """Why the first file that is missing here is unusable."""


def _write_vectors(
    store: Path,
    features: Features,
    split: Dataset,
    name: str,
    distinct: dict[str, int],
    *,
    copies: int,
    skip_bad: bool,
) -> None:
    """Read each distinct file and put all vectors into a folder, which is whole or not there.

    :param distinct: for each fingerprint a row that has such a file.
    """
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=store.parent, prefix=f".{store.name}."))
    except OSError as error:
        raise InputError(
            f"The cache {store.parent} cannot be written ({error.strerror}), but {features.media} "
            "features need it; set the environment variable TANDEM_CACHE to a folder that can."
        ) from error
    try:
        _write_part(part, features, split, name, distinct, copies=copies, skip_bad=skip_bad)
        shutil.rmtree(store, ignore_errors=True)
        os.replace(part, store)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_part(
    part: Path,
    features: Features,
    split: Dataset,
    name: str,
    distinct: dict[str, int],
    *,
    copies: int,
    skip_bad: bool,
) -> None:
    lengths: list[int] = []
    bad: dict[str, InputError] = {}
    kind = ""
    what = f"Reading {name} {'pictures' if features.media == 'image' else 'recordings'}"
    with (part / "vectors").open("wb") as out:
        for copy in range(copies):
            for text, row in track(distinct.items(), what, transient=True):
                if text in bad:
                    continue
                file = split[row]["source"]
                try:
                    vectors = features(file, place_of(file, name, row), copy)
                except InputError as error:
                    if not skip_bad:
                        raise
                    bad[text] = error
                    continue
                kind = vectors.dtype.name
                out.write(np.ascontiguousarray(vectors).tobytes())
                lengths.append(len(vectors))
    if not lengths:
        raise InputError(f"Not one example of the {name} split can be read; correct its files.")
    np.savez(
        part / "index.npz",
        offsets=np.concatenate(([0], np.cumsum(lengths))),
        fingerprints=np.array([text for text in distinct if text not in bad]),
        kind=kind,
        width=features.width,
        first_error=str(next(iter(bad.values()), "")),
    )


def _load_vectors(store: Path) -> _Stored | None:
    """Map what :func:`_write_vectors` wrote; None if it is not there."""
    try:
        with np.load(store / "index.npz") as index:
            offsets, fingerprints = index["offsets"], index["fingerprints"].tolist()
            shape = (int(offsets[-1]), int(index["width"]))
            values = np.memmap(store / "vectors", str(index["kind"]), mode="r", shape=shape)
            first_error = str(index["first_error"])
    except (OSError, ValueError, KeyError):
        return None
    places = {text: place for place, text in enumerate(fingerprints)}
    return _Stored(values, offsets, places, first_error)


def _fingerprints(split: Dataset) -> Iterator[str]:
    """A text that changes with each example's file."""
    for file in split["source"]:
        if file["bytes"] is not None:
            yield content_key(file["bytes"].hex())
        else:
            yield _path_fingerprint(Path(file["path"]))


def _path_fingerprint(path: Path) -> str:
    try:
        facts = path.stat()
    except OSError:
        return f"{path} missing"
    return f"{path.resolve()} {facts.st_size} {facts.st_mtime_ns}"


def place_of(file: File, split: str, index: int) -> str:
    """How to name an example: its path, or where it stands."""
    return file["path"] or f"example {index + 1} of the {split} split"


def warn_of_unknown(tokenizer: Tokenizer, targets: Ragged, split: Dataset, name: str) -> None:
    """Say how many targets have symbols that training never had, and where the first one is."""
    unknown = (targets.values == SPECIAL_IDS.unk).nonzero()[0]
    owners = np.searchsorted(targets.offsets, unknown, "right")
    if not len(owners):
        return
    first = int(owners[0]) - 1
    row: dict[str, Any] = split[first]
    source: str | File = row["source"]
    place = f"example {first + 1}" if isinstance(source, str) else place_of(source, name, first)
    logger.warning(
        "%d of %d %s targets have symbols that training never saw, the first %s: %s",
        len(np.unique(owners)),
        len(split),
        name,
        place,
        tokenizer.decode(targets.row(first)),
    )
