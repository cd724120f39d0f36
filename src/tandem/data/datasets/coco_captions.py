"""COCO captions: photographs with five captions or more each, Chen et al. (2015)."""

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import SPLITS, resolve_data_dir
from tandem.data.datasets.folders import FileEntry, keep_whole, make_file_splits
from tandem.data.datasets.hub_captions import hub_copy
from tandem.data.text_files import read_text

LAYOUTS = ("karpathy", "official")
KARPATHY = "dataset_coco.json"
KARPATHY_SPLITS = {"train": "train", "restval": "train", "val": "validation", "test": "test"}
"""Photographs of the official validation split that are in neither new one go to training."""


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
    :param on_bad_example: ``error``, or ``skip`` photographs that are missing or have no caption.
    """
    if layout not in LAYOUTS:
        raise InputError(f"dataset.layout ({layout}) must be one of {', '.join(LAYOUTS)}.")
    if hub is not None:
        return hub_copy(hub, image=image, captions=captions, on_bad_example=on_bad_example)
    folder = resolve_data_dir(data_dir, "coco")
    if folder is None:
        raise InputError(
            "The set coco_captions is not on this machine; set dataset.data_dir to its folder, or "
            "dataset.hub to the name of a copy on the Hub."
        )
    found = _karpathy(folder) if layout == "karpathy" else _official(folder, year)
    if layout == "official":
        found["train"], found["validation"] = _hold_out(found["train"], validation_size, seed)
    return make_file_splits(
        {
            split: keep_whole(entries, on_bad_example=on_bad_example)
            for split, entries in found.items()
        }
    )


def _karpathy(folder: Path) -> dict[str, list[FileEntry]]:
    """Return the photographs of each split."""
    path = folder / KARPATHY
    found: dict[str, list[FileEntry]] = {split: [] for split in SPLITS}
    for number, record in enumerate(_list(_read(path), "images", path), start=1):
        place = f"{path} image {number}"
        split = _value(record, "split", place)
        if split not in KARPATHY_SPLITS:
            raise InputError(
                f"{place} has the split {split!r}, which must be one of "
                f"{', '.join(KARPATHY_SPLITS)}; correct the file."
            )
        texts = [
            str(_value(sentence, "raw", place)).strip()
            for sentence in _list(record, "sentences", place)
        ]
        file = folder / str(_value(record, "filepath", place)) / _value(record, "filename", place)
        found[KARPATHY_SPLITS[split]].append(FileEntry(file, texts or [""], place))
    return found


def _official(folder: Path, year: int) -> dict[str, list[FileEntry]]:
    """Return the photographs of the official training and validation splits."""
    return {
        split: list(_annotated(folder / "annotations" / f"captions_{name}.json", folder / name))
        for split, name in (("train", f"train{year}"), ("test", f"val{year}"))
    }


def _annotated(path: Path, pictures: Path) -> Iterator[FileEntry]:
    """Yield the photographs of one file of annotations, by their numbers."""
    content = _read(path)
    texts: dict[int, list[str]] = {}
    for record in _list(content, "annotations", path):
        text = str(_value(record, "caption", path))
        texts.setdefault(_value(record, "image_id", path), []).append(" ".join(text.split()))
    names = {
        _value(record, "id", path): str(_value(record, "file_name", path))
        for record in _list(content, "images", path)
    }
    for number, name in sorted(names.items()):
        yield FileEntry(pictures / name, texts.get(number, [""]), f"{path} image {number}")


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


def _read(path: Path) -> Any:
    """Return the content of a JSON file."""
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"The file {path} is not JSON ({error}); get it again.") from error


def _list(record: Any, key: str, place: object) -> list[Any]:
    """Return a list under a key."""
    values = _value(record, key, place)
    if not isinstance(values, list):
        raise InputError(f"The key `{key}` at {place} must hold a list; correct the file.")
    return values


def _value(record: Any, key: str, place: object) -> Any:
    """Return what stands under a key."""
    if not isinstance(record, dict) or key not in record:
        raise InputError(
            f"{place} has no key `{key}` where one is needed; check dataset.layout and the file."
        )
    return record[key]
