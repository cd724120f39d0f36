"""Beam search over whole batches."""

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
)
from tandem.search.penalty import LengthPenalty
from tandem.search.pool import Pool
from tandem.search.prefixes import choose, expand, extend
from tandem.search.processors import output_rules, process

STOPS = ("best", "pool", "attainable")


class BeamSearch(Search):
    """Extends the ``width`` best prefixes of every source and keeps finished ones in a pool.

    A finished hypothesis y is ranked by ``log p(y) / penalty(|y|)``. Sources leave the batch when
    they are done, which ``stop`` decides; open prefixes are compared as if they ended now:

    - best: nothing open scores better than the best in the pool;
    - pool: the pool is full, and nothing open scores better than the worst in it;
    - attainable: as pool, but by the best score that an open prefix could still reach if all its
      further symbols were certain, at the length that the penalty favours most. Nothing that the
      beam would find later is lost then.

    Without a length penalty pool and attainable are the same.

    :param width: K, prefixes a source and size of the pool.
    :param length_penalty: see :class:`LengthPenalty`.
    :param alpha: strength of the penalty; larger favours longer outputs.
    :param ctc_weight: see :class:`Search`.
    :param coverage_penalty: see :class:`Search`.
    :param stop: best, pool or attainable.
    :param min_length: for this and the following ones see :func:`output_rules`.
    """

    def __init__(
        self,
        *,
        width: int,
        length_penalty: str,
        alpha: float,
        ctc_weight: float | None,
        coverage_penalty: float = 0.0,
        stop: str = "pool",
        min_length: int = 0,
        no_repeat_ngram: int = 0,
        forced_prefix: Sequence[int] = (),
        banned: Sequence[Sequence[int]] = (),
    ) -> None:
        self.width = checked_count("width", width, least=1)
        self.penalty = LengthPenalty(length_penalty, alpha)
        self.ctc_weight = checked_ctc_weight(ctc_weight)
        self.coverage_penalty = checked_coverage_penalty(coverage_penalty)
        if stop not in STOPS:
            raise InputError(f"`search.stop` must be one of {', '.join(STOPS)}, but is {stop!r}.")
        self.stop = stop
        self.rules = output_rules(
            min_length=min_length,
            no_repeat_ngram=no_repeat_ngram,
            forced_prefix=forced_prefix,
            banned=banned,
        )

    def __call__(
        self, step: Step, state: State, *, first: Tensor, max_length: int
    ) -> list[list[Hypothesis]]:
        """See :class:`Search`; at most ``width`` hypotheses a source."""
        width, pool = self.width, Pool.empty(len(first), self.width, max_length, first.device)
        live = torch.arange(len(first), device=first.device)  # the source of each block of rows
        state = state.repeat(width)
        tokens = first.repeat_interleave(width)  # (N,)
        scores = torch.full((len(first), width), -torch.inf, device=first.device)
        scores[:, 0] = 0.0  # all prefixes are alike before the first step, so only one counts
        history = first.new_full((len(first), width, max_length), SPECIAL_IDS.pad)
        for position in range(max_length):
            found, state = step.scores(tokens, state)  # (N, V)
            allowed = process(self.rules, found, history.flatten(0, 1)[:, :position])
            best, parents, symbols = expand(found, allowed, scores.to(found.dtype), step.normalized)
            history = extend(history, parents, symbols, position)  # (B, 2K, length)
            ended = symbols == SPECIAL_IDS.eos
            penalty = self.penalty(position + 1)
            final = ended if position + 1 < max_length else torch.ones_like(ended)
            pool.add(live, best[:, :width] / penalty, final[:, :width], history[:, :width])
            scores, order = best.masked_fill(ended, -torch.inf).topk(width, dim=1)  # (B, K)
            tokens, parents = symbols.gather(1, order), parents.gather(1, order)
            history = choose(history, order)
            going = self._going(pool, live, scores[:, 0], position + 1, max_length)  # (B,)
            rows = parents + width * torch.arange(len(live), device=first.device).unsqueeze(1)
            state = state.reorder(rows.flatten())
            if not going.all():
                kept = going.nonzero().squeeze(1)
                live, scores, tokens, history = (
                    part[kept] for part in (live, scores, tokens, history)
                )
                state = state.select(kept, width)
            if not len(live):
                break
            tokens = tokens.flatten()
        return pool.hypotheses()

    def _going(
        self, pool: Pool, live: Tensor, scores: Tensor, length: int, max_length: int
    ) -> Tensor:
        """Which sources go on, (B,).

        :param scores: (B,) log-probabilities of the best open prefixes.
        :param length: theirs.
        """
        if self.stop == "best":
            return pool.best(live) < scores / self.penalty(length)
        penalty = self.penalty(length)
        if self.stop == "attainable":
            penalty = max(self.penalty(length + 1), self.penalty(max_length))
        return pool.worst(live) < scores / penalty
