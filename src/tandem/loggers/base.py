"""What a logger may take beside numbers, and what it may leave behind for a resumed run."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from tandem.core.files import write_text
from tandem.core.types import Evaluated

MEDIA = ("image", "audio")
"""Kinds of sources that are shown; of others there are the names alone."""

ReadMedia = Callable[[], tuple[str, list[bytes]] | None]
"""Reads the files of rows, of which the first value is the kind; None if they are no media."""

PACKAGES = {"tensorboard": "tensorboard", "mlflow": "mlflow"}
"""Options of ``logger`` with the package that each needs: an extra named as the option."""


@runtime_checkable
class ShowsMedia(Protocol):
    """A logger that takes pictures and texts."""

    def log_picture(self, key: str, path: Path, step: int) -> None:
        """Take a PNG file."""

    def log_samples(self, key: str, rows: Evaluated, media: ReadMedia, step: int) -> None:
        """Take example outputs."""


@runtime_checkable
class Finishes(Protocol):
    """A logger that has something to do when the run is over."""

    def finish(self, exit_code: int) -> None:
        """Close it; the code is 0 for a run that went well."""


def read_id(path: Path) -> str | None:
    """The name under which a tracker knows the run, if it was kept."""
    return path.read_text(encoding="utf-8").strip() or None if path.is_file() else None


def keep_id(path: Path, run_id: str) -> None:
    """Keep the name under which a tracker knows the run."""
    write_text(path, f"{run_id}\n")


def is_first_process() -> bool:
    """Whether this process is the one that logs; known before the processes have met."""
    return int(os.environ.get("RANK", "0")) == 0


def as_markdown(rows: Evaluated) -> str:
    """A table of example outputs."""
    columns = zip(rows.indices, rows.sources, rows.hypotheses, rows.references, strict=True)
    lines = ["| row | source | hypothesis | reference |", "|---|---|---|---|"]
    for index, source, hypothesis, references in columns:
        cells = (str(index), source, hypothesis, "\n".join(references))
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """A text in one cell, with its line ends."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", "<br>")
