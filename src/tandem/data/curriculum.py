"""Curriculum learning: easy examples first."""

import math

import numpy as np

from tandem.core.errors import InputError
from tandem.data.batching import Encoded


class Competence:
    """Gives an epoch the share of examples that its model is up to: Platanios et al. (2019).

    The share is eq. 8 with p = 2, by epochs; how hard an example is, is its target's length.

    :param start: c_0, the share of the first epoch, above 0 and at most 1.
    :param epochs: T, behind which the share is 1.
    """

    def __init__(self, *, start: float, epochs: int) -> None:
        if not 0 < start <= 1:
            raise InputError(f"`curriculum.start` must be above 0 and at most 1, but is {start}.")
        if epochs < 1:
            raise InputError(f"`curriculum.epochs` must be at least 1, but is {epochs}.")
        self.start = start
        self.epochs = epochs

    def share(self, epoch: int) -> float:
        """Of the examples that an epoch has, the first one being 0."""
        risen = epoch * (1 - self.start**2) / self.epochs
        return min(1.0, math.sqrt(risen + self.start**2))

    def __call__(self, encoded: Encoded, epoch: int) -> Encoded:
        """The examples of an epoch, out of all."""
        share = self.share(epoch)
        if share == 1:
            return encoded
        easiest = np.argsort(encoded.target.lengths, kind="stable")
        return encoded.taken(np.sort(easiest[: math.ceil(share * len(encoded))]))
