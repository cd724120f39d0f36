"""Published pictures with captions: a folder for each split, with a table of fixed columns."""

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import resolve_data_dir
from tandem.data.datasets.media_files import load_files
from tandem.data.file_columns import FileColumns
from tandem.data.file_tables import FileTables
from tandem.data.splitting import Splitting


def captioned_folder(
    name: str, *, data_dir: str | None, strip: bool, on_bad_example: str
) -> DatasetDict:
    """Load ``train``, ``validation`` and ``test``, each with pictures and ``metadata.csv``.

    The table's columns are ``file_name`` and ``caption``; several rows for one picture are several
    captions of it.

    :param name: of the set, and of its folder in the one that ``TANDEM_DATA`` names.
    :param data_dir: the set's folder; None: that one.
    :param strip: whether whitespace at the ends of captions is removed.
    :param on_bad_example: ``error``, or ``skip`` rows without a caption or file.
    :raises InputError: if the set is nowhere.
    """
    folder = resolve_data_dir(data_dir, name)
    if folder is None:
        raise InputError(
            f"The set {name} has no public home that could be read here; set dataset.data_dir to "
            "its folder, or the environment variable TANDEM_DATA to the folder that has it as "
            f"`{name}`."
        )
    columns = FileColumns(fixed=True, file="file_name", target="caption", strip=strip)
    splitting = Splitting(train="train", validation="validation", test="test", seed=0)
    return load_files(FileTables(home=folder), columns, splitting, on_bad_example=on_bad_example)
