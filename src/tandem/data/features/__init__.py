"""From pictures and recordings to vectors."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tandem.data.features.base import Features, File, Vectors

if TYPE_CHECKING:
    from tandem.data.features.log_mel import LogMel
    from tandem.data.features.pixels import PixelFeatures
    from tandem.data.features.pretrained import PretrainedFeatures

__all__ = ["Features", "File", "LogMel", "PixelFeatures", "PretrainedFeatures", "Vectors"]

_MODULES = {
    "LogMel": "log_mel",
    "PixelFeatures": "pixels",
    "PretrainedFeatures": "pretrained",
}
"""Imported when they are asked for: a model of texts needs no library of pictures or speech."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
