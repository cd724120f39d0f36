"""What turns a picture or a recording into vectors."""

from abc import ABC, abstractmethod
from typing import Any, Literal, TypedDict

import numpy.typing as npt

Vectors = npt.NDArray[Any]
"""(L, width): L vectors, one behind the other; uint8 or float16 to keep them small."""


class File(TypedDict):
    """What the column ``source`` holds where the source is not text; one of the two is enough."""

    path: str | None
    bytes: bytes | None


class Features(ABC):
    """Turns the file of an example into the vectors that a frontend reads.

    All that it does follows from its options and the file, so its results are kept in the cache.
    """

    media: Literal["image", "audio"]
    """What the files are."""

    width: int
    """Size of one vector."""

    copies: int = 1
    """Versions of each training example, of which the first is the example as it is."""

    seconds_per_vector: float = 0.0
    """For recordings: from one vector to the next."""

    @abstractmethod
    def __call__(self, file: File, place: str, copy: int = 0) -> Vectors:
        """Read a file.

        :param place: how to name the example in an error, as a rule its path.
        :param copy: which version, from 0 to ``copies - 1``; evaluation asks for 0 only.
        :return: (L, width) with L >= 1.
        :raises InputError: if the file is missing, damaged or has nothing in it.
        """

    @abstractmethod
    def shown(self, vectors: Vectors) -> Vectors:
        """What to draw of (L, width) vectors: a picture (H, W) or (H, W, 3), bytes; or a
        spectrogram (F, bands).
        """

    def recipe(self) -> str:
        """All options as one text, under which results are kept."""
        return f"{type(self).__module__}.{type(self).__qualname__} {sorted(vars(self).items())}"
