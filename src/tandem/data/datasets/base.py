"""What every dataset shares: folders, pairs, checks of options and splits."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from datasets import Dataset, DatasetDict

from tandem.core.errors import InputError

SPLITS = ("train", "validation", "test")
ON_BAD_EXAMPLE = ("error", "skip")


def resolve_data_dir(data_dir: str | None, folder: str) -> Path | None:
    """Return the folder of a set that is already on disk, or None.

    :param data_dir: the user's own choice; it must exist.
    :param folder: the set's folder inside the folder of sets that ``TANDEM_DATA`` names.
    """
    if data_dir is not None:
        return existing_folder(data_dir)
    root = os.environ.get("TANDEM_DATA")
    if not root:
        return None
    if not Path(root).expanduser().is_dir():
        raise InputError(
            f"The environment variable TANDEM_DATA ({root}) must name an existing folder; correct "
            "or unset it."
        )
    path = Path(root).expanduser() / folder
    return path if path.is_dir() else None


def existing_folder(data_dir: str) -> Path:
    """Return the user's folder as a path, if it exists."""
    path = Path(data_dir).expanduser()
    if not path.is_dir():
        raise InputError(
            f"The folder dataset.data_dir={data_dir} does not exist; correct the path, which is "
            f"relative to {Path.cwd()}."
        )
    return path


def folder_or_file(data_dir: str) -> tuple[Path, str | None]:
    """Return the user's folder, and the file in it if the path is that of a file."""
    path = Path(data_dir).expanduser()
    return (path.parent, path.name) if path.is_file() else (existing_folder(data_dir), None)


def check_on_bad_example(on_bad_example: str) -> None:
    """Refuse an option that does not exist."""
    if on_bad_example not in ON_BAD_EXAMPLE:
        raise InputError(
            f"dataset.on_bad_example ({on_bad_example}) must be one of {', '.join(ON_BAD_EXAMPLE)}."
        )


def from_pairs(splits: Mapping[str, Sequence[tuple[str, str]]]) -> DatasetDict:
    """Return pairs that were generated, and so have no place in a file, as a dataset."""
    return check_splits(
        DatasetDict(
            {
                name: Dataset.from_dict(
                    {"source": [pair[0] for pair in pairs], "target": [pair[1] for pair in pairs]}
                )
                for name, pairs in splits.items()
            }
        )
    )


def check_splits(splits: DatasetDict) -> DatasetDict:
    """Return the dataset if no split is empty."""
    for name, split in splits.items():
        if split.num_rows == 0:
            raise InputError(
                f"The {name} split is empty, but each of {', '.join(splits)} needs at least one "
                "example; check the files or names that the dataset was given."
            )
    return splits
