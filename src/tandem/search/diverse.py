"""Diverse beam search: Vijayakumar et al. (2018)."""

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.state import State
from tandem.core.types import Hypothesis
from tandem.search.base import Search, Step, extend_step_by_step
from tandem.search.beams import Beams, Candidates
from tandem.search.options import checked_count, in_range
from tandem.search.penalty import LengthPenalty
from tandem.search.pool import Pool
from tandem.search.prefixes import expand


class DiverseBeamSearch(Search):
    """Groups of beams, of which each avoids the symbols that those before it chose.

    At every step the groups choose one after the other (algorithm 1, with Hamming
    diversity): a symbol loses ``diversity`` for each time that it is the last one of an
    extension that an earlier group chose at this step, ended ones included. Unlike there, that
    counts for the choice alone and is not carried on, so hypotheses are ranked, within and across
    groups, by what :class:`tandem.search.BeamSearch` ranks by. The first group is that search with
    ``width / groups`` prefixes; a group is done by its rule ``stop=pool``, and a source when all
    groups are.

    :param width: K, prefixes a source, in all groups together.
    :param groups: G; divides the width.
    :param diversity: the paper's lambda, in nats; 0 makes all groups alike.
    :param length_penalty: see :class:`LengthPenalty`.
    :param alpha: strength of the penalty; larger favours longer outputs.
    """

    def __init__(
        self, *, width: int, groups: int, diversity: float, length_penalty: str, alpha: float
    ) -> None:
        self.width = checked_count("search.width", width, least=1)
        self.groups = checked_count("search.groups", groups, least=1)
        if width % groups:
            raise InputError(
                f"`search.groups` ({groups}) must divide `search.width` ({width}); change one."
            )
        if not in_range(diversity, 0, 1000):
            raise InputError(f"`search.diversity` must be from 0 to 1000, but is {diversity!r}.")
        self.diversity = diversity
        self.penalty = LengthPenalty(length_penalty, alpha)

    def __call__(
        self, step: Step, state: State, *, first: Tensor, max_length: int
    ) -> list[list[Hypothesis]]:
        """See :class:`Search`; up to ``width`` hypotheses a source, no two of them equal."""

        def goes_on(pool: Pool, live: Tensor, scores: Tensor, length: int) -> Tensor:
            return pool.worst(live) < scores / self.penalty(length)

        beams = Beams(
            self._expand,
            goes_on,
            size=self.width // self.groups,
            groups=self.groups,
            penalty=self.penalty,
            first=first,
            max_length=max_length,
        )
        return extend_step_by_step(step, state, beams, first=first, max_length=max_length)

    def _expand(self, scores: Tensor, allowed: Tensor, normalizer: Tensor) -> Candidates:
        """The candidates of each group, chosen group by group; a group is a beam.

        They are chosen by what is left of their scores.
        """
        size = scores.size(1)  # K / G
        by_group = (
            part.view(-1, self.groups, *shape).unbind(1)
            for part, shape in (
                (scores, (size,)),
                (allowed, (size, allowed.size(1))),
                (normalizer, (size, 1)),
            )
        )
        losses = normalizer.new_zeros(len(scores) // self.groups, allowed.size(1))  # (B, V) so far
        groups = []
        for prefixes, symbols_allowed, normalizers in zip(*by_group, strict=True):
            left = symbols_allowed - losses.unsqueeze(1)  # (B, K / G, V), at least float32
            ranks, parents, symbols = expand(
                prefixes, left.flatten(0, 1), normalizers.flatten(0, 1)
            )
            groups.append((ranks, ranks + losses.gather(1, symbols), parents, symbols))
            possible = ranks[:, :size] > -torch.inf
            losses = losses.scatter_add(
                1, symbols[:, :size], self.diversity * possible.to(losses.dtype)
            )
        return Candidates(
            *(torch.stack(part, 1).flatten(0, 1) for part in zip(*groups, strict=True))
        )
