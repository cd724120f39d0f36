"""Diverse beam search: Vijayakumar et al. (2018)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.search.base import (
    Search,
    Step,
    checked_count,
    checked_coverage_penalty,
    checked_ctc_weight,
    in_range,
)
from tandem.search.penalty import LengthPenalty
from tandem.search.pool import Pool
from tandem.search.prefixes import choose, expand, extend
from tandem.search.processors import output_rules, process


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
    :param ctc_weight: see :class:`Search`.
    :param coverage_penalty: see :class:`Search`.
    :param min_length: for this and the following ones see :func:`output_rules`.
    """

    def __init__(
        self,
        *,
        width: int,
        groups: int,
        diversity: float,
        length_penalty: str,
        alpha: float,
        ctc_weight: float | None,
        coverage_penalty: float,
        min_length: int,
        no_repeat_ngram: int,
        forced_prefix: Sequence[int],
        banned: Sequence[Sequence[int]],
    ) -> None:
        self.width = checked_count("width", width, least=1)
        self.groups = checked_count("groups", groups, least=1)
        if width % groups:
            raise InputError(
                f"`search.groups` ({groups}) must divide `search.width` ({width}); change one."
            )
        if not in_range(diversity, 0, 1000):
            raise InputError(f"`search.diversity` must be from 0 to 1000, but is {diversity!r}.")
        self.diversity = diversity
        self.penalty = LengthPenalty(length_penalty, alpha)
        self.ctc_weight = checked_ctc_weight(ctc_weight)
        self.coverage_penalty = checked_coverage_penalty(coverage_penalty)
        self.rules = output_rules(
            min_length=min_length,
            no_repeat_ngram=no_repeat_ngram,
            forced_prefix=forced_prefix,
            banned=banned,
        )

    def __call__(
        self, step: Step, state: State, *, first: Tensor, max_length: int
    ) -> list[list[Hypothesis]]:
        """See :class:`Search`; up to ``width`` hypotheses a source, no two of them equal."""
        groups, size, device = self.groups, self.width // self.groups, first.device
        blocks = len(first) * groups  # P, all groups of all sources
        pool = Pool.empty(blocks, size, max_length, device)
        live = torch.arange(blocks, device=device)
        state = state.repeat(self.width)
        tokens = first.repeat_interleave(self.width)  # (N,)
        scores = torch.full((blocks, size), -torch.inf, device=device)
        scores[:, 0] = 0.0  # all prefixes are alike before the first step, so only one counts
        history = first.new_full((blocks, size, max_length), SPECIAL_IDS.pad)
        for position in range(max_length):
            found, state = step.scores(tokens, state)  # (N, V)
            allowed = process(self.rules, found, history.flatten(0, 1)[:, :position])
            rank, best, parents, symbols = self._expand(
                found, allowed, scores.to(found.dtype), step.normalized
            )
            history = extend(history, parents, symbols, position)  # (P, 2K / G, length)
            ended = symbols == SPECIAL_IDS.eos
            penalty = self.penalty(position + 1)
            final = ended if position + 1 < max_length else torch.ones_like(ended)
            pool.add(live, best[:, :size] / penalty, final[:, :size], history[:, :size])
            order = rank.masked_fill(ended, -torch.inf).topk(size, dim=1).indices  # (P, K / G)
            scores = best.masked_fill(ended, -torch.inf).gather(1, order)
            tokens, parents = symbols.gather(1, order), parents.gather(1, order)
            history = choose(history, order)
            going = pool.worst(live) < scores.max(1).values / penalty  # (P,)
            scores = scores.masked_fill(~going.unsqueeze(1), -torch.inf)  # done ones stay done
            rows = parents + size * torch.arange(len(live), device=device).unsqueeze(1)
            state = state.reorder(rows.flatten())
            sources = going.view(-1, groups).any(1)  # (B,)
            if not sources.all():
                kept = sources.repeat_interleave(groups)
                live, scores, tokens, history = (
                    part[kept] for part in (live, scores, tokens, history)
                )
                state = state.select(sources.nonzero().squeeze(1), self.width)
            if not len(live):
                break
            tokens = tokens.flatten()
        found_by_group = iter(pool.hypotheses())
        return [_merged([next(found_by_group) for _ in range(groups)]) for _ in first]

    def _expand(
        self, found: Tensor, allowed: Tensor, scores: Tensor, normalized: bool
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The best extensions of each group, chosen group by group.

        :param found: for all see :func:`expand`; a group is a block.
        :return: (P, 2K / G) what they were chosen by, scores, parents and symbols.
        """
        size, vocabulary = scores.size(1), found.size(1)
        by_source = (-1, self.groups, size, vocabulary)
        found, allowed = found.view(by_source), allowed.view(by_source)
        scores = scores.view(-1, self.groups, size)
        losses = found.new_zeros(len(found), vocabulary)  # (B, V) so far at this step
        chosen = []
        for group in range(self.groups):
            less = allowed[:, group] - losses.unsqueeze(1)  # (B, K / G, V)
            rank, parents, symbols = expand(
                found[:, group].flatten(0, 1), less.flatten(0, 1), scores[:, group], normalized
            )
            chosen.append((rank, rank + losses.gather(1, symbols), parents, symbols))
            real = rank[:, :size] > -torch.inf
            losses = losses.scatter_add(1, symbols[:, :size], self.diversity * real.to(rank.dtype))
        rank, best, parents, symbols = (
            torch.stack(part, 1).flatten(0, 1) for part in zip(*chosen, strict=True)
        )
        return rank, best, parents, symbols


def _merged(groups: list[list[Hypothesis]]) -> list[Hypothesis]:
    """Hypotheses of all groups, each output once, the best first."""
    unique = {tuple(one.tokens): one for group in groups for one in group}
    return sorted(unique.values(), key=lambda hypothesis: -hypothesis.score)
