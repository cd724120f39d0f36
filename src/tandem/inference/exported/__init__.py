"""Models that another program computes: the folders that ``tandem export`` writes."""

from tandem.inference.exported.description import Description
from tandem.inference.exported.loading import load_exported, signed_part
from tandem.inference.exported.model import ExportedModel

__all__ = ["Description", "ExportedModel", "load_exported", "signed_part"]
