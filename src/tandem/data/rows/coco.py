"""COCO's annotations: pictures and captions in two lists of one JSON file, Chen et al. (2015)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tandem.data.rows.base import Column, Record
from tandem.data.rows.json_values import list_of, read_json, value_of


def read_coco(path: Path) -> Iterator[Record]:
    """Yield a row for each picture, by their numbers.

    The columns are ``file_name`` and ``caption``, a list of all captions of the picture, in which
    each run of whitespace is one space.
    """
    content = read_json(path)
    texts: dict[int, list[str]] = {}
    for record in list_of(content, "annotations", path):
        text = str(value_of(record, "caption", path))
        texts.setdefault(value_of(record, "image_id", path), []).append(" ".join(text.split()))
    names = {
        value_of(record, "id", path): str(value_of(record, "file_name", path))
        for record in list_of(content, "images", path)
    }
    for number, name in sorted(names.items()):
        values: dict[Column, Any] = {"file_name": name, "caption": texts.get(number, [])}
        yield Record(f"{path} image {number}", values)
