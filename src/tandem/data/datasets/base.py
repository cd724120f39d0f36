"""What every dataset shares: finding files, checking pairs, making splits."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, Features, List, Value

from tandem.core.errors import InputError
from tandem.data.compressed import ENDINGS, find_file
from tandem.data.splitting import Splitting
from tandem.data.stream import make_pair
from tandem.data.text_files import read_lines

logger = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")
ON_BAD_EXAMPLE = ("error", "skip")


@dataclass(frozen=True, slots=True)
class Entry:
    """One example and where it was read, so that an error can name the place."""

    source: str
    target: str
    source_place: str
    """For example ``data/train.en line 3``."""
    target_place: str
    references: list[str] | None = None


def resolve_data_dir(data_dir: str | None, folder: str) -> Path | None:
    """Return the folder of a set that is already on disk, or None.

    :param data_dir: the user's own choice; it must exist.
    :param folder: the set's folder inside the folder of sets that ``TANDEM_DATA`` names.
    """
    if data_dir is not None:
        return existing_folder(data_dir)
    root = os.environ.get("TANDEM_DATA")
    if not root:
        return None
    if not Path(root).expanduser().is_dir():
        raise InputError(
            f"The environment variable TANDEM_DATA ({root}) must name an existing folder; correct "
            "or unset it."
        )
    path = Path(root).expanduser() / folder
    return path if path.is_dir() else None


def existing_folder(data_dir: str) -> Path:
    """Return the user's folder as a path, if it exists."""
    path = Path(data_dir).expanduser()
    if not path.is_dir():
        raise InputError(
            f"The folder dataset.data_dir={data_dir} does not exist; correct the path, which is "
            f"relative to {Path.cwd()}."
        )
    return path


def split_file(folder: Path, split: str, name: str, *, ending: str = "") -> Path:
    """Return the path of a split's file, which may be compressed."""
    path = find_file(folder / f"{name}{ending}")
    if path is None:
        raise _no_such("file", folder / f"{name}{ending}", split)
    return path


def split_folder(folder: Path, split: str, name: str) -> Path:
    """Return the path of a split's folder."""
    path = folder / name
    if not path.is_dir():
        raise _no_such("folder", path, split)
    return path


def _no_such(what: str, path: Path, split: str) -> InputError:
    share = "" if split == "train" else f"; dataset.{split}=0.1 takes a tenth of the training split"
    return InputError(
        f"The {what} {path} of the {split} split does not exist; correct dataset.data_dir or "
        f"dataset.{split}{share}."
    )


def split_files(folder: Path, split: str, name: str, *, ending: str = "") -> list[Path]:
    """Return the paths of a split's files, of which a pattern such as ``train-*`` may name many."""
    if not any(mark in name for mark in "*?["):
        return [split_file(folder, split, name, ending=ending)]
    paths = _matches(folder, f"{name}{ending}")
    if not paths:
        raise InputError(
            f"No file in {folder} fits the pattern {name}{ending} of the {split} split; correct "
            f"dataset.data_dir or dataset.{split}."
        )
    return paths


def any_file(folder: Path, name: str, *, ending: str = "") -> bool:
    """Whether :func:`split_files` finds one."""
    return bool(find_file(folder / f"{name}{ending}") or _matches(folder, f"{name}{ending}"))


def _matches(folder: Path, pattern: str) -> list[Path]:
    """Return the files that fit a pattern; one that is there plain and compressed counts once."""
    paths = {path for ending in ("", *ENDINGS) for path in folder.glob(f"{pattern}{ending}")}
    return sorted(
        path for path in paths if path.suffix not in ENDINGS or path.with_suffix("") not in paths
    )


def read_parallel(source: Path, target: Path) -> Iterator[Entry]:
    """Return the pairs of two files that hold one text a line, one by one."""
    sources, targets = read_lines(source, strip=True), read_lines(target, strip=True)
    if len(sources) != len(targets):
        raise InputError(
            f"The files {source} ({len(sources)} lines) and {target} ({len(targets)} lines) must "
            "have equally many lines, as line n of one belongs to line n of the other; check that "
            "neither was cut or edited alone."
        )
    return (
        Entry(text, other, f"{source} line {number}", f"{target} line {number}")
        for number, (text, other) in enumerate(zip(sources, targets, strict=True), start=1)
    )


def check_on_bad_example(on_bad_example: str) -> None:
    """Refuse an option that does not exist."""
    if on_bad_example not in ON_BAD_EXAMPLE:
        raise InputError(
            f"dataset.on_bad_example ({on_bad_example}) must be one of {', '.join(ON_BAD_EXAMPLE)}."
        )


def keep_filled(entries: Iterable[Entry], *, on_bad_example: str) -> Iterator[Entry]:
    """Yield the entries that have both texts; an empty one is an error or is skipped."""
    check_on_bad_example(on_bad_example)
    total, skipped, first = 0, 0, ""
    for entry in entries:
        total += 1
        pair = make_pair(entry.source, entry.target, entry.source_place, entry.target_place)
        if not isinstance(pair, InputError):
            yield entry
            continue
        if on_bad_example == "error":
            raise pair
        skipped += 1
        first = first or (entry.target_place if entry.source.strip() else entry.source_place)
    if skipped:
        logger.info(
            "Skipped %d of %d examples with an empty source or target, the first of them in %s.",
            skipped,
            total,
            first,
        )


def make_splits(
    splits: Mapping[str, Iterable[Entry]],
    *,
    on_bad_example: str,
    splitting: Splitting | None = None,
) -> DatasetDict:
    """Return the splits as a dataset, with a column of references if the entries have them.

    :param splitting: says which other splits are shares of the training entries.
    """
    filled: dict[str, Sequence[Entry]] = {
        name: list(keep_filled(entries, on_bad_example=on_bad_example))
        for name, entries in splits.items()
    }
    if splitting is not None:
        filled = splitting.divide(filled, group=lambda entry: entry.source)
    return check_splits(DatasetDict({name: _dataset(entries) for name, entries in filled.items()}))


def _dataset(entries: Sequence[Entry]) -> Dataset:
    columns: dict[str, list[Any]] = {
        "source": [entry.source for entry in entries],
        "target": [entry.target for entry in entries],
    }
    features = {"source": Value("string"), "target": Value("string")}
    references = [entry.references for entry in entries if entry.references is not None]
    if references:
        columns["references"] = references
        features["references"] = List(Value("string"))
    return Dataset.from_dict(columns, features=Features(features))


def from_pairs(splits: Mapping[str, Sequence[tuple[str, str]]]) -> DatasetDict:
    """Return pairs that were generated, and so have no place in a file, as a dataset."""
    return check_splits(
        DatasetDict(
            {
                name: Dataset.from_dict(
                    {"source": [pair[0] for pair in pairs], "target": [pair[1] for pair in pairs]}
                )
                for name, pairs in splits.items()
            }
        )
    )


def check_splits(splits: DatasetDict) -> DatasetDict:
    """Return the dataset if no split is empty."""
    for name, split in splits.items():
        if split.num_rows == 0:
            raise InputError(
                f"The {name} split is empty, but each of {', '.join(splits)} needs at least one "
                "example; check the files or names that the dataset was given."
            )
    return splits
