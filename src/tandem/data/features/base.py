"""What turns a file, such as a picture or a recording, into vectors."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypedDict

import numpy.typing as npt

Vectors = npt.NDArray[Any]
"""(L, width): L vectors, one behind the other; uint8 or float16 to keep them small."""


class File(TypedDict):
    """What the column ``source`` holds where the source is not text; one of the two is enough."""

    path: str | None
    bytes: bytes | None


class Features(ABC):
    """Turns a file into the vectors that a frontend reads.

    All that it does follows from its attributes and the file.
    """

    media: str
    """What the files are: image, audio, or a name of one's own that a frontend has, too."""

    width: int
    """Size of one vector."""

    copies: int = 1
    """Versions of each training example, of which the first is the example as it is."""

    of_copies: tuple[str, ...] = ()
    """Attributes that make versions of training examples, and change nothing else."""

    seconds_per_vector: float = 0.0
    """For recordings: from one vector to the next."""

    mean: Sequence[float] | None = None
    """For pictures as bytes: what a pretrained network had subtracted of each channel, for pixels
    between 0 and 1; None: it is for the frontend to say."""

    std: Sequence[float] | None = None
    """Likewise what they were divided by."""

    @abstractmethod
    def __call__(self, file: File, place: str, copy: int = 0) -> Vectors:
        """Read a file.

        :param place: how to name the example in an error, as a rule its path.
        :param copy: which version, from 0 to ``copies - 1``; evaluation asks for 0 only.
        :return: (L, width) with L >= 1.
        :raises InputError: if the file is missing, damaged or has nothing in it.
        """

    def shown(self, vectors: Vectors) -> Vectors:
        """What to draw of (L, width) vectors: of an image a picture (H, W) or (H, W, 3), bytes; of
        audio a spectrogram (F, bands). Of other media nothing is drawn.
        """
        return vectors
