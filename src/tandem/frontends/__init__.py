"""From a source of one modality to the vectors that an encoder reads."""

from tandem.frontends.base import Frontend
from tandem.frontends.text import TextFrontend

__all__ = ["Frontend", "TextFrontend"]
