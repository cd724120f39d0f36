"""Emoji: pictures of 64 x 64 pixels and their short names."""

from datasets import DatasetDict

from tandem.data.datasets.captioned_folder import captioned_folder


def emoji(*, data_dir: str | None, strip: bool, on_bad_example: str) -> DatasetDict:
    """Load the Noto emoji, split so that variants of one emoji stay together.

    :param data_dir: folder with ``train``, ``validation`` and ``test``, each with pictures and
        ``metadata.csv``, whose columns are ``file_name`` and ``caption``.
    :param strip: whether whitespace at the ends of captions is removed.
    :param on_bad_example: ``error``, or ``skip`` rows without a caption or file.
    """
    return captioned_folder("emoji", data_dir=data_dir, strip=strip, on_bad_example=on_bad_example)
