"""The splits of Karpathy & Fei-Fei (2015): ``dataset_coco.json``, ``_flickr8k``, ``_flickr30k``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tandem.core.errors import InputError
from tandem.data.rows.base import Column, Record
from tandem.data.rows.json_values import list_of, read_json, value_of

SPLITS = {"train": "train", "restval": "train", "val": "validation", "test": "test"}
"""COCO's validation pictures that are in neither new split, ``restval``, go to training."""


def read_karpathy(path: Path) -> Iterator[Record]:
    """Yield a row for each picture.

    The columns are ``file_name``, with COCO's folder in front, ``caption``, a list of all captions
    of the picture, and ``split``: train, validation or test.
    """
    for number, record in enumerate(list_of(read_json(path), "images", path), start=1):
        place = f"{path} image {number}"
        split = value_of(record, "split", place)
        if split not in SPLITS:
            raise InputError(
                f"{place} has the split {split!r}, which must be one of {', '.join(SPLITS)}; "
                "correct the file."
            )
        folder, name = record.get("filepath", ""), value_of(record, "filename", place)
        texts = [
            str(value_of(sentence, "raw", place))
            for sentence in list_of(record, "sentences", place)
        ]
        values: dict[Column, Any] = {
            "file_name": str(Path(folder, name)),
            "caption": texts,
            "split": SPLITS[split],
        }
        yield Record(place, values)
