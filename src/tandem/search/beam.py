"""Beam search over whole batches."""

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.state import State
from tandem.core.types import Hypothesis
from tandem.search.base import Search, Step, extend_step_by_step
from tandem.search.beams import Beams, Candidates
from tandem.search.options import checked_count
from tandem.search.penalty import LengthPenalty
from tandem.search.pool import Pool
from tandem.search.prefixes import expand

STOPS = ("best", "full", "pool", "attainable")


class BeamSearch(Search):
    """Extends the ``width`` best prefixes of every source and keeps finished ones in a pool.

    A finished hypothesis y is ranked by ``log p(y) / penalty(|y|)``. Sources leave the batch when
    they are done, which ``stop`` decides; open prefixes are compared as if they ended now:

    - best: nothing open scores better than the best in the pool;
    - full: the pool is full, whatever is still open, as in fairseq and CTranslate2;
    - pool: the pool is full, and nothing open scores better than the worst in it;
    - attainable: as pool, but by the best score that an open prefix could still reach if all its
      further symbols were certain, at the length that the penalty favours most. Nothing that the
      beam would find later is lost then.

    Without a length penalty pool and attainable are the same.

    :param width: K, prefixes a source and size of the pool.
    :param length_penalty: see :class:`LengthPenalty`.
    :param alpha: strength of the penalty; larger favours longer outputs.
    :param stop: best, full, pool or attainable.
    """

    def __init__(self, *, width: int, length_penalty: str, alpha: float, stop: str) -> None:
        self.width = checked_count("search.width", width, least=1)
        self.penalty = LengthPenalty(length_penalty, alpha)
        if stop not in STOPS:
            raise InputError(f"`search.stop` must be one of {', '.join(STOPS)}, but is {stop!r}.")
        self.stop = stop

    def __call__(
        self, step: Step, state: State, *, first: Tensor, max_length: int
    ) -> list[list[Hypothesis]]:
        """See :class:`Search`; at most ``width`` hypotheses a source."""

        def goes_on(pool: Pool, live: Tensor, scores: Tensor, length: int) -> Tensor:
            if self.stop == "best":
                return pool.best(live) < scores / self.penalty(length)
            if self.stop == "full":
                return (pool.worst(live) == -torch.inf) & (scores > -torch.inf)
            penalty = self.penalty(length)
            if self.stop == "attainable":
                penalty = max(self.penalty(length + 1), self.penalty(max_length))
            return pool.worst(live) < scores / penalty

        beams = Beams(
            _best,
            goes_on,
            size=self.width,
            groups=1,
            penalty=self.penalty,
            first=first,
            max_length=max_length,
        )
        return extend_step_by_step(step, state, beams, first=first, max_length=max_length)


def _best(scores: Tensor, allowed: Tensor, normalizer: Tensor) -> Candidates:
    """The candidates of best score."""
    best, parents, symbols = expand(scores, allowed, normalizer)
    return Candidates(best, best, parents, symbols)
