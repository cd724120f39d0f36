"""Emoji: pictures of 64 x 64 pixels and their short names."""

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import resolve_data_dir
from tandem.data.datasets.imagefolder import imagefolder


def emoji(*, data_dir: str | None, on_bad_example: str) -> DatasetDict:
    """Load the Noto emoji, split so that variants of one emoji stay together.

    :param data_dir: folder with ``train``, ``validation`` and ``test``, each with pictures and
        ``metadata.csv``, whose columns are ``file_name`` and ``caption``.
    :param on_bad_example: ``error``, or ``skip`` rows without a caption or file.
    """
    folder = resolve_data_dir(data_dir, "emoji")
    if folder is None:
        raise InputError(
            "The set emoji has no public home that could be read here; set dataset.data_dir to "
            "its folder, or the environment variable TANDEM_DATA to the folder that has it as "
            "`emoji`."
        )
    return imagefolder(
        data_dir=str(folder),
        train="train",
        validation="validation",
        test="test",
        seed=0,
        target="caption",
        on_bad_example=on_bad_example,
    )
