"""Pictures in folders with a table of captions: the Hub's ``imagefolder`` layout."""

from datasets import DatasetDict

from tandem.data.datasets.base import SPLITS, existing_folder
from tandem.data.datasets.folders import make_file_splits, read_folder

ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".jp2", ".avif"),
)
"""How names of pictures end."""


def imagefolder(
    *, data_dir: str, train: str, validation: str, test: str, target: str, on_bad_example: str
) -> DatasetDict:
    """Load a folder for each split, with ``metadata.csv`` or ``metadata.jsonl`` beside the files.

    Several rows for one file, or a list in JSON Lines, are several captions of a picture: training
    has an example for each, and evaluation one with all as references.

    :param data_dir: the folder of the splits' folders.
    :param train: the training folder's name.
    :param validation: the validation folder's name.
    :param test: the test folder's name.
    :param target: the column of captions; the files stand in the column ``file_name``.
    :param on_bad_example: ``error``, or ``skip`` rows without a caption or file.
    """
    folder = existing_folder(data_dir)
    names = dict(zip(SPLITS, (train, validation, test), strict=True))
    return make_file_splits(
        {
            split: read_folder(folder / name, target, ENDINGS, on_bad_example=on_bad_example)
            for split, name in names.items()
        }
    )
