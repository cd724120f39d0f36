"""Shapes of a distribution to sample from: changes of scores, of any normalization."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.search.options import checked_count, in_range

Shape = Callable[[Tensor], Tensor]
"""Scores (N, V) -> (N, V)."""


def sampling_shape(
    *, temperature: float, top_k: int, top_p: float, min_p: float
) -> tuple[Shape, ...]:
    """Shapes in the order in which they are applied; none for what is off.

    :param temperature: see :class:`Temperature`; 1: off.
    :param top_k: see :class:`TopK`; 0: off.
    :param top_p: see :class:`TopP`; 1: off.
    :param min_p: see :class:`MinP`; 0: off.
    :raises InputError: if a value is out of range.
    """
    if not in_range(temperature, 0.01, 100):
        raise InputError(
            f"`search.temperature` must be from 0.01 to 100, but is {temperature!r}; for the most "
            "probable symbol at each step choose search=greedy."
        )
    checked_count("search.top_k", top_k, least=0)
    if not in_range(top_p, 0, 1) or top_p == 0:
        raise InputError(
            f"`search.top_p` must be above 0 and at most 1 (1: off), but is {top_p!r}."
        )
    if not in_range(min_p, 0, 1):
        raise InputError(f"`search.min_p` must be from 0 (off) to 1, but is {min_p!r}.")
    shape: list[Shape] = []
    if temperature != 1:
        shape.append(Temperature(temperature))
    if top_k:
        shape.append(TopK(top_k))
    if top_p < 1:
        shape.append(TopP(top_p))
    if min_p:
        shape.append(MinP(min_p))
    return tuple(shape)


class Temperature:
    """Divides scores by the temperature; below 1 the distribution gets sharper."""

    def __init__(self, temperature: float) -> None:
        self.temperature = temperature

    def __call__(self, scores: Tensor) -> Tensor:
        """Scores (N, V) -> (N, V)."""
        return scores / self.temperature


class TopK:
    """Keeps the k most probable symbols: Fan et al. (2018)."""

    def __init__(self, k: int) -> None:
        self.k = k

    def __call__(self, scores: Tensor) -> Tensor:
        """Scores (N, V) -> (N, V)."""
        best = scores.topk(min(self.k, scores.size(1)), dim=1)
        return torch.full_like(scores, -torch.inf).scatter(1, best.indices, best.values)


class TopP:
    """Keeps the nucleus: the fewest most probable symbols that reach the probability p.

    Holtzman et al. (2020), section 3.1.
    """

    def __init__(self, p: float) -> None:
        self.p = p

    def __call__(self, scores: Tensor) -> Tensor:
        """Scores (N, V) -> (N, V)."""
        ordered, symbols = scores.sort(dim=1, descending=True, stable=True)
        probs = ordered.double().softmax(1)
        better = probs.cumsum(1) - probs  # probability of all that stands before: (N, V)
        kept = ordered.masked_fill(better >= self.p, -torch.inf)
        return torch.empty_like(scores).scatter_(1, symbols, kept)


class MinP:
    """Keeps what is at least p times as probable as the best symbol: Nguyen et al. (2025)."""

    def __init__(self, p: float) -> None:
        self.log_p = math.log(p)

    def __call__(self, scores: Tensor) -> Tensor:
        """Scores (N, V) -> (N, V)."""
        least = scores.max(1, keepdim=True).values + self.log_p
        return scores.masked_fill(scores < least, -torch.inf)
