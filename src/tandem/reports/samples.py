"""Rows of test splits with what runs wrote for them, and pictures of where they looked."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tandem.reports.outputs import Outputs
from tandem.reports.pictures import as_data_uri, media_uri
from tandem.reports.runs import Run, shorten

MAX_MAPS = 24
"""Runs of which an attention map is shown."""
MAX_TEXT = 400
"""Letters shown of a text."""
MAX_MEDIA = 6 * 2**20
"""Letters of all pictures and recordings beside the rows."""
MEDIA = "media"
"""The folder in a run's with copies of its first test sources: ``test-0.jpg`` and so on."""


class SampleRows:
    """Rows of all test splits, each once.

    Whole texts are compared, of which the page shows the beginning.
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._outputs: list[dict[str, int]] = []
        """A number for each different output of a row."""
        self._places: dict[tuple[str, int], int] = {}
        self._room = MAX_MEDIA

    def add(self, folder: Path, outputs: Outputs | None) -> dict[int, dict[str, Any]]:
        """Take a run's first rows in; return its hypotheses by the rows' places.

        Each with whether it is a reference, and a number that equal ones of a row share.
        """
        if outputs is None:
            return {}
        hypotheses = {}
        files = {path.stem: path for path in _files(folder / MEDIA)}
        for number, sample in enumerate(outputs.samples):
            place = self._places.setdefault((outputs.test_set, number), len(self.rows))
            if place == len(self.rows):
                references = [shorten(text, MAX_TEXT) for text in sample.references]
                source = shorten(sample.source, MAX_TEXT)
                self.rows.append({"source": source, "references": references})
                self._outputs.append({})
            if f"test-{number}" in files and "media" not in self.rows[place]:
                self._add_media(place, files[f"test-{number}"])
            numbers = self._outputs[place]
            hypotheses[place] = {
                "text": shorten(sample.hypothesis, MAX_TEXT),
                "right": sample.hypothesis in sample.references,
                "number": numbers.setdefault(sample.hypothesis, len(numbers)),
            }
        return hypotheses

    def _add_media(self, place: int, path: Path) -> None:
        uri = media_uri(path)
        if uri and len(uri) <= self._room:
            self._room -= len(uri)
            self.rows[place]["media"] = uri


def maps(runs: Iterable[Run]) -> dict[Path, str]:
    """One small attention map of each of the first runs that have any, by folder."""
    found: dict[Path, str] = {}
    for run in runs:
        pictures = [path for path in _files(run.folder / "attention") if path.suffix == ".png"]
        path = next((path for path in pictures if path.name.startswith("test-")), None)
        path = path or next((path for path in pictures if path.name == "val-0.png"), None)
        path = path or next(reversed(pictures), None)
        if path and (uri := as_data_uri(path)):
            found[run.folder] = uri
        if len(found) == MAX_MAPS:
            break
    return found


def _files(folder: Path) -> list[Path]:
    """What lies in a folder, in order; nothing if it is none."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
