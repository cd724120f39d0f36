"""Beam search over whole batches."""

from dataclasses import dataclass

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.search.base import Search, Step, checked_ctc_weight, until_eos

PENALTIES = ("none", "average", "gnmt")


class BeamSearch(Search):
    """Extends the ``width`` best prefixes of every source and keeps finished ones in a pool.

    A source is done when its pool is full and nothing still open scores better than the worst in
    the pool; done sources leave the batch. A finished hypothesis y is ranked by
    ``log p(y) / penalty(|y|)``: 1 for none, ``|y| ** alpha`` for average, and
    ``((5 + |y|) / 6) ** alpha`` for gnmt (Wu et al. 2016, eq. 14, without coverage).

    :param width: K, prefixes a source and size of the pool.
    :param length_penalty: none, average or gnmt.
    :param alpha: strength of the penalty; larger favours longer outputs.
    :param ctc_weight: see :class:`Search`.
    """

    def __init__(
        self, *, width: int, length_penalty: str, alpha: float, ctc_weight: float | None
    ) -> None:
        if width < 1:
            raise InputError(f"`search.width` must be at least 1, but is {width}.")
        if length_penalty not in PENALTIES:
            raise InputError(
                f"`search.length_penalty` must be one of {', '.join(PENALTIES)}, but is "
                f"{length_penalty!r}."
            )
        self.width = width
        self.length_penalty = length_penalty
        self.alpha = alpha
        self.ctc_weight = checked_ctc_weight(ctc_weight)

    def penalty(self, length: int) -> float:
        """What the log-probability of an output of ``length`` symbols is divided by."""
        if self.length_penalty == "none":
            return 1.0
        base = length if self.length_penalty == "average" else (5 + length) / 6
        return float(base**self.alpha)

    def __call__(
        self, step: Step, state: State, *, first: Tensor, max_length: int
    ) -> list[list[Hypothesis]]:
        """See :class:`Search`; at most ``width`` hypotheses a source."""
        width, pool = self.width, _Pool.empty(len(first), self.width, max_length, first.device)
        live = torch.arange(len(first), device=first.device)  # the source of each block of rows
        state = state.repeat(width)
        tokens = first.repeat_interleave(width)  # (N,)
        scores = torch.full((len(first), width), -torch.inf, device=first.device)
        scores[:, 0] = 0.0  # all prefixes are alike before the first step, so only one counts
        history = first.new_full((len(first), width, max_length), SPECIAL_IDS.pad)
        for position in range(max_length):
            found, state = step.scores(tokens, state)  # (N, V)
            best, parents, symbols = _expand(found, scores.to(found.dtype), step.normalized)
            history = _extend(history, parents, symbols, position)  # (B, 2K, length)
            ended = symbols == SPECIAL_IDS.eos
            penalty = self.penalty(position + 1)
            final = ended if position + 1 < max_length else torch.ones_like(ended)
            pool.add(live, best[:, :width] / penalty, final[:, :width], history[:, :width])
            scores, order = best.masked_fill(ended, -torch.inf).topk(width, dim=1)  # (B, K)
            tokens, parents = symbols.gather(1, order), parents.gather(1, order)
            history = _rows(history, order)
            going = pool.worst(live) < scores[:, 0] / penalty  # (B,)
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


def _expand(found: Tensor, scores: Tensor, normalized: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The best 2K extensions of each source: scores, parents (0..K-1) and symbols (B, 2K).

    Twice the width, so that K open ones remain even if K of them end.

    :param found: (B x K, V) what the step says of each prefix's next symbol.
    :param scores: (B, K) of the prefixes.
    :param normalized: see :class:`Step`.
    """
    sources, width = scores.shape
    few = min(2 * width, found.size(1))
    top, symbols = found.topk(few, dim=1)  # no row can place more than 2K among the best 2K
    log_probs = top if normalized else top - found.logsumexp(1, keepdim=True)  # (N, few)
    total = (scores.view(-1, 1) + log_probs).view(sources, width * few)
    best, index = total.topk(min(2 * width, width * few), dim=1)  # (B, 2K)
    return best, index // few, symbols.view(sources, -1).gather(1, index)


def _rows(history: Tensor, order: Tensor) -> Tensor:
    """Choose among axis 1 of history (B, K, L) by order (B, K')."""
    return history.gather(1, order.unsqueeze(2).expand(-1, -1, history.size(2)))


def _extend(history: Tensor, parents: Tensor, symbols: Tensor, position: int) -> Tensor:
    """Histories of the parents with the new symbol at ``position``."""
    extended = _rows(history, parents)
    extended[:, :, position] = symbols
    return extended


@dataclass
class _Pool:
    """The best finished hypotheses of every source, the best first."""

    scores: Tensor
    """(B, K), -inf where there is none yet."""
    outputs: Tensor
    """(B, K, max_length)"""

    @staticmethod
    def empty(sources: int, width: int, max_length: int, device: torch.device) -> "_Pool":
        """A pool in which nothing has finished."""
        return _Pool(
            torch.full((sources, width), -torch.inf, device=device),
            torch.full((sources, width, max_length), SPECIAL_IDS.pad, device=device),
        )

    def add(self, live: Tensor, scores: Tensor, final: Tensor, outputs: Tensor) -> None:
        """Merge candidates (B', K) where ``final``, and keep the best K of each source."""
        if not final.any():
            return
        self.scores = self.scores.to(scores.dtype)
        width = self.scores.size(1)
        both = torch.cat((self.scores[live], scores.masked_fill(~final, -torch.inf)), dim=1)
        self.scores[live], order = both.topk(width, dim=1)
        self.outputs[live] = _rows(torch.cat((self.outputs[live], outputs), dim=1), order)

    def worst(self, live: Tensor) -> Tensor:
        """(B',) score of the K-th best."""
        return self.scores[live, -1]

    def hypotheses(self) -> list[list[Hypothesis]]:
        """As lists, without the places that stayed empty."""
        return [
            [
                Hypothesis(tokens=until_eos(output), score=score)
                for output, score in zip(outputs, scores, strict=True)
                if score > -torch.inf
            ]
            for outputs, scores in zip(self.outputs.tolist(), self.scores.tolist(), strict=True)
        ]
