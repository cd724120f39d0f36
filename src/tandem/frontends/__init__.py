"""From a source of one modality to the vectors that an encoder reads."""

from tandem.frontends.base import Frontend
from tandem.frontends.cnn_stem import CNNStemFrontend
from tandem.frontends.none import NoFrontend
from tandem.frontends.patches import PatchFrontend
from tandem.frontends.speech import SpeechFrontend
from tandem.frontends.text import TextFrontend
from tandem.frontends.vectors import VectorFrontend

__all__ = [
    "CNNStemFrontend",
    "Frontend",
    "NoFrontend",
    "PatchFrontend",
    "SpeechFrontend",
    "TextFrontend",
    "VectorFrontend",
]
