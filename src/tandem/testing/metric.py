"""Checks of a metric."""

import numpy as np

from tandem.core.errors import InputError
from tandem.metrics.base import Metric, directions_of
from tandem.testing.compare import expect

REFERENCES = [
    ["a b c d e"],
    ["the cat sat on the mat", "a cat sat on a mat"],
    ["one two three four five"],
    ["the dog runs in the park today"],
]
RIGHT = [texts[0] for texts in REFERENCES]
WRONG = ["zz qq", "qq zz qq zz qq", "zz", "qq zz zz qq"]
MIXED = [RIGHT[0], WRONG[1], "", "the dog runs home"]
RTOL = 1e-9


def check_metric(metric: Metric, *, by_corpus: bool = False) -> None:
    """Check that a metric's counts add up over rows, and that its directions are right.

    :param by_corpus: whether what a row counts depends on which rows stand beside it, as in CIDEr.
    :raises AssertionError: with the first promise that it breaks.
    """
    name = type(metric).__name__
    try:
        directions = directions_of(metric)
    except InputError as error:
        raise AssertionError(str(error)) from error
    scores = metric(MIXED, REFERENCES)
    expect(
        scores.keys() == directions.keys() and set(directions.values()) <= {"min", "max"},
        f"{name}.directions must have min or max for each of its scores ({', '.join(scores)}), but "
        f"is {directions}.",
    )
    expect(
        all(np.isfinite(score) for score in scores.values()),
        f"The scores of {name} must be finite for every text, the empty one included, but are "
        f"{scores}.",
    )
    _expect_sums(metric, by_corpus)
    best, worst = metric(RIGHT, REFERENCES), metric(WRONG, REFERENCES)
    for score, direction in directions.items():
        better = best[score] > worst[score] if direction == "max" else best[score] < worst[score]
        expect(
            better,
            f"{name}.directions says that {direction} of {score} is better, but outputs equal to "
            f"a reference score {best[score]:g} and wrong ones {worst[score]:g}; correct one.",
        )
    signature = metric.signature
    expect(
        isinstance(signature, str) and signature != "" and signature == metric.signature,
        f"{name}.signature must be a text that names the settings, but is {signature!r}.",
    )


def _expect_sums(metric: Metric, by_corpus: bool) -> None:
    """One line of numbers a row, which follows the row wherever it stands."""
    counts = np.asarray(metric.counts(MIXED, REFERENCES))
    name = type(metric).__name__
    expect(
        counts.ndim == 2 and len(counts) == len(MIXED) and counts.dtype == np.float64,
        f"{name}.counts must return float64 numbers (N, K), a line for each of {len(MIXED)} rows, "
        f"but returned {counts.dtype} of {counts.shape}.",
    )
    turned = metric.counts(MIXED[::-1], REFERENCES[::-1])[::-1]
    expect(
        np.allclose(counts, turned, rtol=RTOL, atol=0),
        f"The counts of {name} must not depend on the order of the rows, but turning it round "
        "changed them.",
    )
    pieces = [metric.counts(MIXED[:1], REFERENCES[:1]), metric.counts(MIXED[1:], REFERENCES[1:])]
    expect(
        by_corpus or np.allclose(counts, np.concatenate(pieces), rtol=RTOL, atol=0),
        f"The counts of {name} must add up over rows, but a row alone counts something else; "
        "count in `counts`, divide in `scores`, and keep nothing between calls.",
    )
    summed = metric.scores(counts.sum(axis=0))
    called = metric(MIXED, REFERENCES)
    expect(
        summed.keys() == called.keys()
        and all(np.isclose(summed[key], called[key], rtol=RTOL) for key in called),
        f"Calling {name} must give its scores of the summed counts, {summed}, but gives {called}.",
    )
