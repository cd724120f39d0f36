"""From pictures and recordings to vectors."""

from tandem.data.features.base import Features, File, Vectors

__all__ = ["Features", "File", "Vectors"]
