"""COCO captions: photographs with five captions or more each, Chen et al. (2015)."""

import random
from collections.abc import Sequence
from pathlib import Path

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import SPLITS, resolve_data_dir
from tandem.data.datasets.file_splits import make_file_splits, read_entries
from tandem.data.datasets.hub_captions import hub_copy
from tandem.data.file_columns import FileColumns, FileEntry
from tandem.data.file_tables import Table
from tandem.data.rows import WholeFile
from tandem.data.rows.coco import read_coco
from tandem.data.rows.karpathy import read_karpathy

LAYOUTS = ("karpathy", "official")
KARPATHY = "dataset_coco.json"


def coco_captions(
    *,
    data_dir: str | None,
    layout: str,
    year: int,
    validation_size: int,
    seed: int,
    hub: str | None,
    image: str,
    captions: Sequence[str],
    strip: bool,
    on_bad_example: str,
) -> DatasetDict:
    """Load photographs from disk or from a copy on the Hub.

    Training has an example for each caption, evaluation one for each photograph with its captions
    as references.

    :param data_dir: folder with the photographs in ``train2014``, ``val2014``, ``train2017`` ...,
        and the captions.
    :param layout: ``karpathy``: the splits of Karpathy & Fei-Fei (2015), 113,287 / 5,000 / 5,000,
        from ``dataset_coco.json``; ``official``: ``annotations/captions_train2017.json`` and
        ``captions_val2017.json``, whose validation split is the test split here, because the
        official one has no public captions.
    :param year: of the official files, 2014 or 2017.
    :param validation_size: photographs held out of the official training split.
    :param seed: what these are drawn from.
    :param hub: name of a copy on the Hub with splits train, validation and test, which is read
        instead of a folder.
    :param image: the copy's column of photographs.
    :param captions: the copy's columns of captions.
    :param strip: whether whitespace at the ends of captions is removed.
    :param on_bad_example: ``error``, or ``skip`` photographs that are missing or have no caption.
    """
    if layout not in LAYOUTS:
        raise InputError(f"dataset.layout ({layout}) must be one of {', '.join(LAYOUTS)}.")
    if hub is not None:
        return hub_copy(
            hub, image=image, captions=captions, strip=strip, on_bad_example=on_bad_example
        )
    folder = resolve_data_dir(data_dir, "coco")
    if folder is None:
        raise InputError(
            "The set coco_captions is not on this machine; set dataset.data_dir to its folder, or "
            "dataset.hub to the name of a copy on the Hub."
        )
    if layout == "karpathy":
        table = Table(KARPATHY, WholeFile(folder / KARPATHY, read_karpathy), [folder])
        columns = FileColumns(
            fixed=True, file="file_name", target="caption", split="split", strip=strip
        )
        entries = read_entries([table], columns, folder, on_bad_example=on_bad_example)
        return make_file_splits(
            {split: [entry for entry in entries if entry.split == split] for split in SPLITS}
        )
    columns = FileColumns(fixed=True, file="file_name", target="caption", strip=strip)
    train, test = (
        read_entries(
            [_annotations(folder, f"{name}{year}")], columns, folder, on_bad_example=on_bad_example
        )
        for name in ("train", "val")
    )
    train, validation = _hold_out(train, validation_size, seed)
    return make_file_splits({"train": train, "validation": validation, "test": test})


def _annotations(folder: Path, name: str) -> Table:
    """Return the official annotations of a split."""
    path = folder / "annotations" / f"captions_{name}.json"
    return Table(path.name, WholeFile(path, read_coco), [folder / name])


def _hold_out(
    entries: list[FileEntry], size: int, seed: int
) -> tuple[list[FileEntry], list[FileEntry]]:
    """Return what stays and so many photographs held out."""
    if not 1 <= size < len(entries):
        raise InputError(
            f"dataset.validation_size ({size}) must be at least 1 and less than the "
            f"{len(entries)} photographs of the training split, from which they are taken."
        )
    chosen = set(random.Random(seed).sample(range(len(entries)), size))
    return (
        [entry for place, entry in enumerate(entries) if place not in chosen],
        [entries[place] for place in sorted(chosen)],
    )
