"""Emoji: pictures of 64 x 64 pixels and their short names."""

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import resolve_data_dir
from tandem.data.datasets.media_files import load_files
from tandem.data.file_columns import FileColumns
from tandem.data.file_tables import FileTables
from tandem.data.splitting import Splitting


def emoji(*, data_dir: str | None, strip: bool, on_bad_example: str) -> DatasetDict:
    """Load the Noto emoji, split so that variants of one emoji stay together.

    :param data_dir: folder with ``train``, ``validation`` and ``test``, each with pictures and
        ``metadata.csv``, whose columns are ``file_name`` and ``caption``.
    :param strip: whether whitespace at the ends of captions is removed.
    :param on_bad_example: ``error``, or ``skip`` rows without a caption or file.
    """
    folder = resolve_data_dir(data_dir, "emoji")
    if folder is None:
        raise InputError(
            "The set emoji has no public home that could be read here; set dataset.data_dir to "
            "its folder, or the environment variable TANDEM_DATA to the folder that has it as "
            "`emoji`."
        )
    columns = FileColumns(fixed=True, file="file_name", target="caption", strip=strip)
    splitting = Splitting(train="train", validation="validation", test="test", seed=0)
    return load_files(FileTables(home=folder), columns, splitting, on_bad_example=on_bad_example)
