"""How sure a score is, and a difference of two: resampling of the rows of a test split."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
LEVEL = 0.95

Floats = NDArray[np.float64]


@lru_cache(maxsize=1)
def draws(rows: int) -> NDArray[np.float32]:
    """How often each row is drawn in each resample, (``RESAMPLES``, N).

    The same for the same number of rows, so that runs on one test split are resampled in pairs.
    """
    generator = np.random.default_rng(0)
    counts = [
        np.bincount(generator.integers(rows, size=rows), minlength=rows) for _ in range(RESAMPLES)
    ]
    return np.array(counts, dtype=np.float32)


def resample(counts: Floats, scores: Callable[[Floats], dict[str, float]]) -> dict[str, Floats]:
    """The scores of each resample of a split, (``RESAMPLES``,) for each score.

    :param counts: what the scores add up over the rows, (N, K).
    :param scores: from sums (K,) to scores by name.
    """
    sums = (draws(len(counts)) @ counts.astype(np.float32)).astype(np.float64)
    found = [scores(one) for one in sums]
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def interval(resampled: Floats) -> tuple[float, float]:
    """The percentile interval: the middle 95 % of the resamples (Efron & Tibshirani 1993, 13.3)."""
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(resampled, [tail, 100 - tail])
    return float(low), float(high)


def as_extreme(observed: Floats, resampled: Floats) -> NDArray[np.int64]:
    """For each pair of runs, how many resamples differ as much by chance alone, (R, R).

    Paired bootstrap resampling (Koehn 2004), two-sided: differences of the resamples are moved to
    mean zero and held against the observed difference (Riezler & Maxwell 2005). Of n counted ones
    the p-value is (n + 1) / (``RESAMPLES`` + 1).

    :param observed: scores of the runs on the whole split, (R,).
    :param resampled: their scores on each resample, (R, ``RESAMPLES``).
    """
    counts = np.empty((len(observed), len(observed)), dtype=np.int64)
    centred = resampled - resampled.mean(axis=1, keepdims=True)
    for place, (score, noise) in enumerate(zip(observed, centred, strict=True)):
        difference = np.abs(observed - score)[:, None]
        counts[place] = (np.abs(centred - noise) >= difference - 1e-9).sum(axis=1)
    return counts
