"""Tandem: compose any encoder with any decoder through any attention."""

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tandem.api import Config, InputError, TrainedRun, compose, train

__version__ = "0.1.0"
__all__ = ["Config", "InputError", "TrainedRun", "compose", "train"]

# In a notebook `datasets` warns of bars that would need ipywidgets, which Tandem does not show.
warnings.filterwarnings("ignore", "IProgress not found")


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that ``import tandem`` takes no time."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tandem import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
