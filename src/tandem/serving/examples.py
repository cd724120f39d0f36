"""Sources of the test split to try a model on, from what its run has kept."""

import base64
import json
from pathlib import Path
from typing import Any

from tandem.serving.served_model import ServedModel

SAMPLES = "samples.jsonl"
MEDIA = "media"
"""The folder of a run with copies of its first test sources, ``test-0.jpg`` and so on."""
MOST = 20
TYPES = {".jpg": "image/jpeg", ".mp3": "audio/mpeg"}
MOST_BYTES = 2**26
"""Of the file of samples that are read, from its end."""


def examples_of(model: ServedModel) -> list[dict[str, Any]]:
    """The first test sources, or else those of validation, with their references.

    A run without such a file has none, nor has one of pictures or recordings whose copies are gone.
    """
    rows = _rows(model.folder / SAMPLES)
    if model.media == "text":
        return [_example(row, row["source"], row["source"], None) for row in rows]
    files = {path.stem: path for path in sorted((model.folder / MEDIA).glob("test-*"))}
    examples = []
    for number, row in enumerate(rows):
        path = files.get(f"test-{number}")
        if row["split"] == "test" and path is not None and path.suffix in TYPES:
            source = base64.b64encode(path.read_bytes()).decode()
            preview = f"data:{TYPES[path.suffix]};base64,{source}"
            examples.append(_example(row, source, Path(row["source"]).name, preview))
    return examples


def _example(row: dict[str, Any], source: str, name: str, preview: str | None) -> dict[str, Any]:
    reference = row["references"][0] if row["references"] else ""
    return {"source": source, "name": name, "reference": reference, "preview": preview}


def _rows(path: Path) -> list[dict[str, Any]]:
    """The last samples of the test split or, without any, of validation."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - MOST_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return []
    by_split: dict[str, dict[int, dict[str, Any]]] = {}
    for line in lines:
        try:
            row = json.loads(line)
            by_split.setdefault(row["split"], {})[row["index"]] = row
        except (ValueError, KeyError, TypeError):
            continue
    rows = by_split.get("test") or by_split.get("validation") or {}
    return [rows[index] for index in sorted(rows)][:MOST]
