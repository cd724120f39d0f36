"""Looking at one source's way through a model, from its symbols to the output."""

from tandem.inference.inspection.inspection import Inspection
from tandem.inference.inspection.road import inspect_source, part_names
from tandem.inference.inspection.tree import SearchTree

__all__ = ["Inspection", "SearchTree", "inspect_source", "part_names"]
