"""Beams side by side, one for each block: a source, or a group of a source's prefixes."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.search.base import Choice, Expansion
from tandem.search.penalty import LengthPenalty
from tandem.search.pool import Pool
from tandem.search.prefixes import choose, extend, no_outputs


class Candidates(NamedTuple):
    """The best extensions of each of P beams, more than it has prefixes, the best first."""

    ranks: Tensor
    """(P, n) what they are chosen by, ``-inf`` if they are impossible."""
    scores: Tensor
    """(P, n) their log-probabilities."""
    parents: Tensor
    """(P, n) places in the beam."""
    symbols: Tensor
    """(P, n)"""


class Beams(Expansion):
    """Beams of open prefixes, and pools of finished ones that are ranked by the length penalty.

    :param expand: the prefixes' scores (P, K), next symbols' scores (P x K, V), their normaliser
        (P x K, 1) -> candidates.
    :param goes_on: a pool, the beams that are still open (P,), the scores of their best prefixes
        (P,) and the length of those -> which of them are not done, (P,).
    :param size: K, prefixes of each beam.
    :param groups: beams of each source.
    :param first: see :class:`tandem.search.Search`, as for ``max_length``.
    """

    def __init__(
        self,
        expand: Callable[[Tensor, Tensor, Tensor], Candidates],
        goes_on: Callable[[Pool, Tensor, Tensor, int], Tensor],
        *,
        size: int,
        groups: int,
        penalty: LengthPenalty,
        first: Tensor,
        max_length: int,
    ) -> None:
        super().__init__(size * groups)
        self.expand, self.goes_on, self.penalty = expand, goes_on, penalty
        self.size, self.groups, self.max_length = size, groups, max_length
        beams = len(first) * groups
        self.pool = Pool.empty(beams, size, first.device)
        self.live = torch.arange(beams, device=first.device)  # (P,) beams that are open
        self.scores = torch.full(
            (beams, size), -torch.inf, dtype=torch.float32, device=first.device
        )
        self.scores[:, 0] = 0.0  # all prefixes are alike before the first step, so only one counts
        self.prefixes = no_outputs(first, beams, size)

    def history(self, position: int) -> Tensor:
        """See :class:`Expansion`."""
        return self.prefixes.flatten(0, 1)[:, :position]

    def advance(self, allowed: Tensor, normalizer: Tensor, position: int) -> Choice:
        """See :class:`Expansion`."""
        size, length = self.size, position + 1
        ranks, scores, parents, symbols = self.expand(self.scores, allowed, normalizer)
        extended = extend(self.prefixes, parents, symbols, position, self.max_length)  # (P, n, t)
        ended = symbols == SPECIAL_IDS.eos
        final = ended if length < self.max_length else torch.ones_like(ended)
        ranked = scores[:, :size] / self.penalty(length)
        self.pool.add(self.live, ranked, final[:, :size], extended[:, :size])
        order = ranks.masked_fill(ended, -torch.inf).topk(size, dim=1).indices  # (P, K)
        scores = scores.masked_fill(ended, -torch.inf).gather(1, order)
        self.prefixes = choose(extended, order)
        going = self.goes_on(self.pool, self.live, scores.amax(1), length)  # (P,)
        self.scores = scores.masked_fill(~going.unsqueeze(1), -torch.inf)  # done ones stay done
        impossible = self.scores == -torch.inf
        return Choice(
            tokens=symbols.gather(1, order).masked_fill(impossible, SPECIAL_IDS.eos).flatten(),
            parents=parents.gather(1, order),
            going=going.view(-1, self.groups).any(1),
        )

    def keep(self, sources: Tensor) -> None:
        """See :class:`Expansion`."""
        groups = torch.arange(self.groups, device=sources.device)
        beams = (sources.unsqueeze(1) * self.groups + groups).flatten()
        self.live, self.scores, self.prefixes = (
            part[beams] for part in (self.live, self.scores, self.prefixes)
        )

    def hypotheses(self) -> list[list[Hypothesis]]:
        """See :class:`Expansion`; no two of a source are equal."""
        return self.pool.hypotheses(self.groups)
