"""JSON of any layout: lines of objects, or one object with all rows in it."""

import json
from pathlib import Path

from tandem.data.rows.base import RowFile, WholeFile
from tandem.data.rows.coco import read_coco
from tandem.data.rows.json_by_key import read_json_by_key
from tandem.data.rows.json_objects import open_json
from tandem.data.rows.karpathy import read_karpathy
from tandem.data.text_files import read_text


def open_json_file(path: Path) -> RowFile:
    """Return what reads a file, told by its first object: COCO's, Karpathy's, SpeechBrain's, or
    lines of objects.
    """
    text = read_text(path).lstrip()
    try:
        first, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return open_json(path)
    if not isinstance(first, dict) or text[end:].strip():
        return open_json(path)
    if "images" in first:
        return WholeFile(path, read_coco if "annotations" in first else read_karpathy)
    if first and all(isinstance(value, dict) for value in first.values()):
        return WholeFile(path, read_json_by_key)
    return open_json(path)
