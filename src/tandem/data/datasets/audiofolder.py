"""Recordings in folders with a table of transcripts: the Hub's ``audiofolder`` layout."""

from datasets import DatasetDict

from tandem.data.datasets.base import existing_folder, folder_names, split_folder
from tandem.data.datasets.folders import make_file_splits
from tandem.data.datasets.recordings import by_speaker, read_recordings
from tandem.data.splitting import Part, Splitting


def audiofolder(
    *,
    data_dir: str,
    train: str,
    validation: Part,
    test: Part | None,
    seed: int,
    target: str,
    speaker: str | None,
    on_bad_example: str,
) -> DatasetDict:
    """Load a folder for each split, with ``metadata.csv`` or ``metadata.jsonl`` beside the files.

    :param data_dir: the folder of the splits' folders.
    :param train: the training folder's name.
    :param validation: the validation folder's name, or a share of the training recordings.
    :param test: the same for test; None: there is no test split.
    :param seed: what shares are drawn from.
    :param target: the column of transcripts; the files stand in the column ``file_name``.
    :param speaker: the column that names the speaker, if there is one, so that nobody is heard in
        training and in a share of it.
    :param on_bad_example: ``error``, or ``skip`` rows without a transcript or file.
    """
    folder = existing_folder(data_dir)
    splitting = Splitting(train=train, validation=validation, test=test, seed=seed)
    splitting = splitting.settled(
        folder_names(folder),
        where=f"the folder {folder}",
        has=lambda name: (folder / name).is_dir(),
    )
    splits = {
        split: read_recordings(
            split_folder(folder, split, name), target, on_bad_example=on_bad_example
        )
        for split, name in splitting.names.items()
    }
    return make_file_splits(splitting.divide(splits, by_speaker(splits["train"], speaker)))
