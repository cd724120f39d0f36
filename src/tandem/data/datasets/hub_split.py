"""One split of a set of the Hub, or of a local folder that is laid out like one."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import datasets
from datasets import Dataset

from tandem.core.errors import InputError


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
    try:
        with _quietly():
            return datasets.load_dataset(path, name, revision=revision, split=part)
    except Exception as error:  # the library and its network stack raise many unrelated types
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
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
