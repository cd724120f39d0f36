"""Pictures in folders with a table of captions: the Hub's ``imagefolder`` layout."""

from datasets import DatasetDict

from tandem.data.datasets.base import existing_folder, folder_names, split_folder
from tandem.data.datasets.folders import by_content, make_file_splits, read_folder
from tandem.data.splitting import Part, Splitting

ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".jp2", ".avif"),
)
"""How names of pictures end."""


def imagefolder(
    *,
    data_dir: str,
    train: str,
    validation: Part,
    test: Part | None,
    seed: int,
    target: str,
    on_bad_example: str,
) -> DatasetDict:
    """Load a folder for each split, with ``metadata.csv`` or ``metadata.jsonl`` beside the files.

    Several rows for one file, or a list in JSON Lines, are several captions of a picture: training
    has an example for each, and evaluation one with all as references.

    :param data_dir: the folder of the splits' folders.
    :param train: the training folder's name.
    :param validation: the validation folder's name, or a share of the training pictures.
    :param test: the same for test; None: there is no test split.
    :param seed: what shares are drawn from.
    :param target: the column of captions; the files stand in the column ``file_name``.
    :param on_bad_example: ``error``, or ``skip`` rows without a caption or file.
    """
    folder = existing_folder(data_dir)
    splitting = Splitting(train=train, validation=validation, test=test, seed=seed)
    splitting = splitting.settled(
        folder_names(folder),
        where=f"the folder {folder}",
        has=lambda name: (folder / name).is_dir(),
    )
    splits = {
        split: read_folder(
            split_folder(folder, split, name), target, ENDINGS, on_bad_example=on_bad_example
        )
        for split, name in splitting.names.items()
    }
    return make_file_splits(splitting.divide(splits, by_content(splits["train"])))
