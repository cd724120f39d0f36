"""``run.json``: what a run says of itself, from its start to its end."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tandem.core.files import write_text

RECORD = "run.json"


def read_record(folder: Path) -> dict[str, Any]:
    """The record of a run's folder; an empty one if there is none that can be read."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the record, which is never seen half-written."""
    write_text(folder / RECORD, json.dumps(record, indent=2))


def is_finished(record: Mapping[str, Any]) -> bool:
    """Whether the run came to its end; older records have no ``state``, but metrics."""
    return bool(record.get("state", "finished" if "metrics" in record else None) == "finished")


def timestamp() -> str:
    """The time now, with its zone, as records have it."""
    return datetime.now().astimezone().isoformat(timespec="seconds")
