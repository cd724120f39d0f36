"""The task of the learning grid: to write a string backwards, be it text, a picture or a recording.

Strings are 3 or 4 letters out of 5; there are 750. In a picture a string is bright lines in four
squares, two above two, and the letter is the height of a line. In a recording it is tones of
different length, and the letter is the band. Both have some noise.
"""

import itertools
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tandem.core.masks import lengths_to_mask
from tandem.core.types import SPECIAL_IDS, SPECIAL_TOKENS
from tandem.models import Seq2Seq

LETTERS = 5
LENGTHS = (3, 4)
VOCABULARY = len(SPECIAL_TOKENS) + LETTERS
SIDE = 8
"""Pixels along a square."""
BANDS = 8
"""Numbers of a frame."""
SLOT = 6
"""Frames from one tone to the next."""

String = tuple[int, ...]


def strings() -> list[String]:
    """All strings over the letters, in a shuffled order that is always the same."""
    letters = range(len(SPECIAL_TOKENS), VOCABULARY)
    every = [text for length in LENGTHS for text in itertools.product(letters, repeat=length)]
    random.Random(0).shuffle(every)
    return every


def order_blind_loss() -> float:
    """Least mean loss of a model that knows a string's letters but not their order."""
    nats = 0.0
    for text in strings():
        orders = math.factorial(len(text))
        for count in Counter(text).values():
            orders //= math.factorial(count)
        nats += math.log(orders)
    return nats / sum(len(text) + 1 for text in strings())


def blind_loss() -> float:
    """Least mean loss of a model that knows nothing of a string."""
    every = strings()
    return len(every) * math.log(len(every)) / sum(len(text) + 1 for text in every)


def written(texts: list[String]) -> tuple[Tensor, Tensor]:
    """Strings as ids with ``eos``: source (B, S), mask (B, S)."""
    source = _rows([[*text, SPECIAL_IDS.eos] for text in texts])
    return source, source != SPECIAL_IDS.pad


def drawn(texts: list[String]) -> tuple[Tensor, Tensor]:
    """Strings as bright lines in two by two squares: source (B, 2 SIDE, 2 SIDE), mask (B, 2 SIDE).

    The picture of each string has its own noise and brightnesses.
    """
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randint(16, (len(texts), 2, SIDE, 2, SIDE), generator=generator)
    brightness = torch.randint(160, 240, (len(texts), max(LENGTHS)), generator=generator)
    for picture, text, levels in zip(pictures, texts, brightness, strict=True):
        for place, letter in enumerate(text):
            upper_lower, left_right = divmod(place, 2)
            picture[upper_lower, letter - len(SPECIAL_TOKENS), left_right] += levels[place]
    source = pictures.view(len(texts), 2 * SIDE, 2 * SIDE).to(torch.uint8)
    return source, torch.ones(source.shape[:2], dtype=torch.bool)


def played(texts: list[String]) -> tuple[Tensor, Tensor]:
    """Strings as tones of 3 to 5 of 6 frames: source (B, S, BANDS), mask (B, S).

    The recording of each string has its own noise and durations.
    """
    generator = torch.Generator().manual_seed(0)
    slots = torch.randn(len(texts), max(LENGTHS), SLOT, BANDS, generator=generator) / 8
    durations = torch.randint(3, SLOT, (len(texts), max(LENGTHS)), generator=generator).tolist()
    for recording, text, lasting in zip(slots, texts, durations, strict=True):
        for place, letter in enumerate(text):
            recording[place, : lasting[place], letter - len(SPECIAL_TOKENS)] += 3
    source = slots.flatten(1, 2)
    lengths = torch.tensor([SLOT * len(text) for text in texts])
    return source, lengths_to_mask(lengths, source.size(1))


SHOWN: dict[str, Callable[[list[String]], tuple[Tensor, Tensor]]] = {
    "text": written,
    "image": drawn,
    "audio": played,
}
"""How strings become sources and their mask."""


@dataclass(frozen=True)
class Pairs:
    """Sources and the reversals of their strings, side by side; 0 is ``pad``."""

    source: Tensor
    """(B, S) or (B, S, width)"""
    source_mask: Tensor
    """(B, S)"""
    target_in: Tensor
    """(B, T)"""
    target_out: Tensor
    """(B, T)"""

    @staticmethod
    def of(texts: list[String], media: str) -> "Pairs":
        """The task's pairs for some strings."""
        source, source_mask = SHOWN[media](texts)
        return Pairs(
            source=source,
            source_mask=source_mask,
            target_in=_rows([[SPECIAL_IDS.bos, *reversed(text)] for text in texts]),
            target_out=_rows([[*reversed(text), SPECIAL_IDS.eos] for text in texts]),
        )

    def to(self, device: str) -> "Pairs":
        """The same pairs on another device."""
        return Pairs(**{name: tensor.to(device) for name, tensor in vars(self).items()})

    def features(self, model: Seq2Seq, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Features (R, D) and ids (R,) of the real target positions of some rows."""
        state = model.start(model.encode(self.source[rows], self.source_mask[rows]))
        features = model.decode(self.target_in[rows], state).features  # (B, T, D)
        target = self.target_out[rows]
        real = target != SPECIAL_IDS.pad
        return features[real], target[real]


def _rows(lists: list[list[int]]) -> Tensor:
    """Lists of ids, padded to the longest string with ``eos``."""
    width = max(LENGTHS) + 1
    return torch.tensor([ids + [SPECIAL_IDS.pad] * (width - len(ids)) for ids in lists])
