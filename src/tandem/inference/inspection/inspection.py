"""What one source became on its way through a model."""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from tandem.core.types import Hypothesis
from tandem.data.readers.base import Preview
from tandem.inference.inspection.tree import Node

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class SourceSeen:
    """What was read."""

    given: str
    """The text, or the path."""
    media: str
    tokens: list[str] | None
    """What stands at each position; None for what is no text."""
    preview: Preview | None
    """What to draw; None for a text."""
    grid: tuple[int, int] | None
    """Rows and columns of an image's positions, which lie row by row."""


@dataclass(frozen=True)
class OutputSeen:
    """What was written."""

    text: str
    tokens: list[str]
    hypothesis: Hypothesis


@dataclass(frozen=True)
class Inspection:
    """All that an encoder-decoder did to read one source and write its output."""

    source: SourceSeen
    arrays: Arrays
    """By name; see ``docs/guides/inspect.md`` for all names and shapes."""
    outputs: list[OutputSeen]
    """All that the search found, the best first."""
    prefix: list[int]
    """The ids that the outputs were made to begin with."""
    tree: list[Node]
    """The prefixes that the search kept, each behind its parent."""
    width: int
    """Hypotheses that the search keeps at most."""
    vocabulary: list[str]
    """What to write on each target symbol."""
    summary_alone: bool
    """Whether the summary is all that the decoder gets of the source."""
    parts: dict[str, str]
    """The names of the classes of frontend, encoder, decoder, attention and search."""
    parameters: int | None
    """Trained numbers of the model; None if they are not to be counted."""
    lacks: dict[str, str]
    """What the road of this model does not have, by its part, with the reason in a sentence."""

    def __repr__(self) -> str:
        """The output, and the names and shapes of the arrays, one a line."""
        shapes = [f"  {name} {array.shape}" for name, array in self.arrays.items()]
        return "\n".join([f"{self.source.given!r} -> {self.outputs[0].text!r}", *shapes])

    def to_json(self) -> dict[str, Any]:
        """Plain data of bounded size; see :mod:`tandem.inference.inspection.record`."""
        from tandem.inference.inspection.record import record

        return record(self)
