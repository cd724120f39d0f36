"""One split of a set of the Hub, or of a folder that is laid out like one or was saved."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import datasets
from datasets import Dataset, IterableDataset

from tandem.core.errors import InputError, reason_of


def load_split(
    path: str, name: str | None, part: str, *, told: str, remedy: str, revision: str | None = None
) -> Dataset:
    """Return a split, without the library's progress bars.

    :param path: the set's name on the Hub, or a folder.
    :param name: its configuration, or None.
    :param part: its split, or a part of one.
    :param told: how an error names the set.
    :param remedy: what an error tells the user to do.
    :param revision: a branch of its repository; None for the main one.
    :raises InputError: whatever stops the library.
    """
    with _quietly(), telling(told, remedy):
        if is_saved(path):
            return _saved_split(path, part)
        return datasets.load_dataset(path, name, revision=revision, split=part)


def open_split(
    path: str, name: str | None, part: str, *, told: str, remedy: str, revision: str | None
) -> IterableDataset:
    """Return a whole split as a stream; the parameters are those of :func:`load_split`."""
    with _quietly(), telling(told, remedy):
        if is_saved(path):
            return _saved_split(path, part).to_iterable_dataset()
        return datasets.load_dataset(path, name, revision=revision, split=part, streaming=True)


def split_names(
    path: str, name: str | None, *, told: str, remedy: str, revision: str | None = None
) -> list[str]:
    """Return the names of all splits; the parameters are those of :func:`load_split`."""
    with _quietly(), telling(told, remedy):
        if is_saved(path):
            return list(_saved(path))
        return list(datasets.get_dataset_split_names(path, name, revision=revision))


def stored_files(
    path: str, name: str | None, part: str, *, told: str, remedy: str, revision: str | None
) -> list[str]:
    """Return the paths of a split's files, or their addresses, which name their version.

    A set that is made by a program has none; the parameters are those of :func:`load_split`.
    """
    with _quietly(), telling(told, remedy):
        if is_saved(path):
            return [str(file["filename"]) for file in _saved_split(path, part).cache_files]
        builder = datasets.load_dataset_builder(path, name, revision=revision)
    return [str(file) for file in (builder.config.data_files or {}).get(part, ())]


def is_saved(path: str) -> bool:
    """Whether a folder is what ``save_to_disk`` of ``datasets`` writes."""
    return any((Path(path) / name).is_file() for name in ("dataset_dict.json", "state.json"))


def _saved(path: str) -> dict[str, Dataset]:
    """Return the splits of such a folder; one that was saved alone is called ``train``."""
    saved = datasets.load_from_disk(path)
    return {"train": saved} if isinstance(saved, Dataset) else dict(saved)


def _saved_split(path: str, part: str) -> Dataset:
    splits = _saved(path)
    if part not in splits:
        raise ValueError(f"no split {part}, but {', '.join(splits)}")
    return splits[part]


@contextmanager
def telling(told: str, remedy: str) -> Iterator[None]:
    """Turn whatever the library and its network stack raise, of many types, into an InputError."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        reason = reason_of(error)
        raise InputError(f"{told} could not be loaded ({reason}); {remedy}.") from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the libraries' progress bars and retry messages off the screen."""
    shown = not datasets.are_progress_bars_disabled()
    network = logging.getLogger("huggingface_hub")
    level = network.level
    datasets.disable_progress_bars()
    network.setLevel(logging.ERROR)
    try:
        yield
    finally:
        network.setLevel(level)
        if shown:
            datasets.enable_progress_bars()
