"""Recordings in folders with a table of transcripts: the Hub's ``audiofolder`` layout."""

import logging

from datasets import DatasetDict

from tandem.data.datasets.base import existing_folder
from tandem.data.datasets.folders import make_file_splits
from tandem.data.datasets.recordings import hold_out_speakers, read_recordings

logger = logging.getLogger(__name__)


def audiofolder(
    *,
    data_dir: str,
    train: str,
    validation: str | None,
    test: str,
    target: str,
    speaker: str | None,
    validation_share: float,
    seed: int,
    on_bad_example: str,
) -> DatasetDict:
    """Load a folder for each split, with ``metadata.csv`` or ``metadata.jsonl`` beside the files.

    :param data_dir: the folder of the splits' folders.
    :param train: the training folder's name.
    :param validation: the validation folder's name; if it is None or such a folder does not exist,
        a part of the training recordings is held out.
    :param test: the test folder's name.
    :param target: the column of transcripts; the files stand in the column ``file_name``.
    :param speaker: the column that names the speaker, if there is one, so that nobody is heard in
        training and in a validation split that was held out.
    :param validation_share: how large a part is held out, at least.
    :param seed: what the held-out part is drawn from.
    :param on_bad_example: ``error``, or ``skip`` rows without a transcript or file.
    """
    folder = existing_folder(data_dir)
    splits = {
        split: read_recordings(folder / name, target, on_bad_example=on_bad_example)
        for split, name in (("train", train), ("validation", validation), ("test", test))
        if name is not None and (split != "validation" or (folder / name).is_dir())
    }
    if "validation" not in splits:
        splits["train"], splits["validation"] = hold_out_speakers(
            splits["train"], speaker=speaker, share=validation_share, seed=seed
        )
        logger.info(
            "Held %d of %d training recordings out for validation",
            len(splits["validation"]),
            len(splits["train"]) + len(splits["validation"]),
        )
    return make_file_splits(splits)
