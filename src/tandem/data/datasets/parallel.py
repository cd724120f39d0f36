"""Parallel text: two files a split, one text a line."""

from datasets import DatasetDict

from tandem.data.datasets.base import (
    Entry,
    existing_folder,
    make_splits,
    read_parallel,
    split_file,
)


def parallel(
    *,
    data_dir: str,
    train: str,
    validation: str,
    test: str,
    source: str,
    target: str,
    on_bad_example: str,
) -> DatasetDict:
    """Load files such as ``train.en`` and ``train.de``, also ``train.en.gz``.

    :param data_dir: the folder of the files.
    :param train: the part of the training files' names before the dot.
    :param validation: the same for the validation files.
    :param test: the same for the test files.
    :param source: the part of the source files' names behind the dot, such as ``en``.
    :param target: the same for the target files.
    :param on_bad_example: ``error``, or ``skip`` such pairs.
    """
    folder = existing_folder(data_dir)
    splits: dict[str, list[Entry]] = {}
    for split, name in (("train", train), ("validation", validation), ("test", test)):
        files = [split_file(folder, split, name, ending=f".{end}") for end in (source, target)]
        splits[split] = read_parallel(files[0], files[1])
    return make_splits(splits, on_bad_example=on_bad_example)
