"""From pictures and recordings to vectors."""

from tandem.data.features.base import Features, File, Vectors
from tandem.data.features.log_mel import LogMel
from tandem.data.features.pixels import PixelFeatures

__all__ = ["Features", "File", "LogMel", "PixelFeatures", "Vectors"]
