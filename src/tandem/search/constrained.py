"""Beam search for outputs that contain given words: Hokamp & Liu (2017)."""

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
from tandem.search.prefixes import choose, expand, extend, log_normalizer
from tandem.search.processors import checked_sequences, output_rules, process


class ConstrainedBeamSearch(Search):
    """Grid beam search: every output contains each of the required sequences.

    With C symbols in all sequences there are C + 1 beams of ``width`` prefixes a source (algorithm
    1); a prefix in beam c has written c of those symbols as part of their sequences. It grows by
    any symbol and stays there, or by the next symbol of a sequence and moves on; inside a sequence
    only the latter. Outputs end in the last beam. A sequence that comes up unasked stands for
    itself only if it was counted as such, and no two of them share a symbol.

    A source is done when its pool is full and no open prefix scores better than the worst in it.
    What cannot hold all sequences within the longest length has no output but an empty one of
    score ``-inf``.

    :param width: K, prefixes of each beam and size of the pool.
    :param required: sequences of ids of target symbols.
    :param length_penalty: see :class:`LengthPenalty`.
    :param alpha: strength of the penalty; larger favours longer outputs.
    :param ctc_weight: see :class:`Search`.
    :param coverage_penalty: see :class:`Search`.
    :param min_length: for this and the following ones see :func:`output_rules`.
    :raises InputError: if a sequence cannot be required.
    """

    def __init__(
        self,
        *,
        width: int,
        required: Sequence[Sequence[int]],
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
        self.required = checked_sequences("required", required)
        if not self.required:
            raise InputError(
                "`search.required` must hold at least one sequence; name some or use search=beam."
            )
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
        """See :class:`Search`; at most ``width`` hypotheses a source, no two of them equal."""
        sequences = Sequences(self.required, first.device)
        beams, width = sequences.symbols + 1, self.width
        rows = beams * width  # R, prefixes a source
        pool = Pool.empty(len(first), width, max_length, first.device)
        live = torch.arange(len(first), device=first.device)  # the source of each block of rows
        state = state.repeat(rows)
        tokens = first.repeat_interleave(rows)  # (N,)
        scores = torch.full((len(first), beams, width), -torch.inf, device=first.device)
        scores[:, 0, 0] = 0.0  # nothing is written yet, so there is one prefix
        history = first.new_full((len(first), rows, max_length), SPECIAL_IDS.pad)
        written = first.new_zeros(len(first), rows, len(self.required))  # symbols of each sequence
        for position in range(max_length):
            found, state = step.scores(tokens, state)  # (N, V)
            sequences.check_known(found.size(1))
            allowed = process(self.rules, found, history.flatten(0, 1)[:, :position])
            best, parents, symbols, moves = self._expand(
                sequences, found, allowed, scores.to(found.dtype), written, step.normalized
            )  # (B, beams, 2K)
            history = extend(history, parents.flatten(1), symbols.flatten(1), position)
            written = choose(written, parents.flatten(1)) + sequences.counted(moves).flatten(1, 2)
            history, written = (part.view(*best.shape, -1) for part in (history, written))
            best[:, -1] = best[:, -1].masked_fill(_repeated(history[:, -1]), -torch.inf)
            ended = symbols == SPECIAL_IDS.eos
            penalty = self.penalty(position + 1)
            final = ended[:, -1] if position + 1 < max_length else torch.ones_like(ended[:, -1])
            pool.add(live, best[:, -1] / penalty, final, history[:, -1])
            scores, order = best.masked_fill(ended, -torch.inf).topk(width, dim=2)
            tokens, parents = symbols.gather(2, order), parents.gather(2, order)
            history, written = (
                choose(part.flatten(0, 1), order.flatten(0, 1)).view(len(live), rows, -1)
                for part in (history, written)
            )
            going = pool.worst(live) < scores.flatten(1).amax(1) / penalty  # (B,)
            blocks = torch.arange(len(live), device=first.device).unsqueeze(1)
            state = state.reorder((parents.flatten(1) + rows * blocks).flatten())
            if not going.all():
                kept = going.nonzero().squeeze(1)
                live, scores, tokens, history, written = (
                    part[kept] for part in (live, scores, tokens, history, written)
                )
                state = state.select(kept, rows)
            if not len(live):
                break
            tokens = tokens.flatten()
        return pool.hypotheses()

    def _expand(
        self,
        sequences: "Sequences",
        found: Tensor,
        allowed: Tensor,
        scores: Tensor,
        written: Tensor,
        normalized: bool,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The best 2K prefixes of each beam, by any symbol from the same or by a required one.

        :param found: (B x beams x K, V) what the step says of each prefix's next symbol.
        :param allowed: the same after rules.
        :param scores: (B, beams, K) of the prefixes.
        :param written: (B, beams x K, W) how many symbols of each sequence they have.
        :return: (B, beams, 2K) each: scores; parents, counted over all beams; symbols; which
            sequence the symbol belongs to, or W for none.
        """
        sources, beams, width = scores.shape
        next_symbols, possible, inside = sequences.options(written)  # (B, beams x K, W)
        log_probs = allowed if normalized else allowed - log_normalizer(found)
        wanted = log_probs.view(sources, beams * width, -1).gather(2, next_symbols)
        moved = scores.view(sources, -1, 1) + wanted.masked_fill(~possible, -torch.inf)
        moved = moved.view(sources, beams, -1)  # (B, beams, K x W)
        outside = scores.masked_fill(inside.view_as(scores), -torch.inf).flatten(0, 1)
        free = allowed.view(sources, beams, width, -1).clone()
        free[:, :-1, :, SPECIAL_IDS.eos] = -torch.inf  # something is still to be written
        stayed, parents, symbols = (
            part.view(sources, beams, -1)
            for part in expand(found, free.flatten(0, 2), outside, normalized)
        )
        first_places = width * torch.arange(beams, device=scores.device)[:, None]
        places = torch.arange(beams * width, device=scores.device)[:, None]  # (beams x K, 1)
        kinds = torch.arange(len(self.required), device=scores.device)  # (W,)
        stay = (stayed, parents + first_places, symbols, torch.full_like(symbols, len(kinds)))
        move = (moved, places.expand_as(written), next_symbols, kinds.expand_as(written))
        joined = [
            torch.cat((here, _next_beam(there.reshape_as(moved))), dim=2)
            for here, there in zip(stay, move, strict=True)
        ]
        best, order = joined[0].topk(min(2 * width, joined[0].size(2)), dim=2)
        parents, symbols, moves = (part.gather(2, order) for part in joined[1:])
        return best, parents, symbols, moves


class Sequences:
    """The required sequences as one table.

    :param required: W lists of ids.
    """

    def __init__(self, required: list[list[int]], device: torch.device) -> None:
        self.lengths = torch.tensor([len(ids) for ids in required], device=device)  # (W,)
        self.symbols = int(self.lengths.sum())
        self.highest = max(max(ids) for ids in required)
        longest = max(len(ids) for ids in required)
        padded = [[*ids, *[SPECIAL_IDS.pad] * (longest + 1 - len(ids))] for ids in required]
        self.table = torch.tensor(padded, device=device)  # (W, longest + 1)

    def options(self, written: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """From how many symbols (B, R, W) of each sequence rows have: the next one of each and
        whether it may come, (B, R, W); whether a row is inside a sequence, (B, R).
        """
        places = written.minimum(self.lengths)  # impossible prefixes may have more
        symbols = self.table.expand(*places.shape, -1).gather(3, places.unsqueeze(3)).squeeze(3)
        begun = (written > 0) & (written < self.lengths)  # (B, R, W), of one sequence at most
        inside = begun.any(2)
        return symbols, begun | (~inside.unsqueeze(2) & (written == 0)), inside

    def counted(self, moves: Tensor) -> Tensor:
        """Which sequence (B, beams, 2K) a symbol belongs to, or W -> (B, beams, 2K, W) 0 and 1."""
        return (moves.unsqueeze(3) == torch.arange(len(self.lengths), device=moves.device)).long()

    def check_known(self, vocabulary: int) -> None:
        """Refuse an id that the vocabulary does not have."""
        if self.highest >= vocabulary:
            raise InputError(
                f"`search.required` names the id {self.highest}, but the target vocabulary ends "
                f"at {vocabulary - 1}; correct it."
            )


def _next_beam(values: Tensor) -> Tensor:
    """What comes out of each beam (B, beams, n), put one beam on; into the first comes nothing."""
    nothing = torch.full_like(values[:, :1], -torch.inf if values.is_floating_point() else 0)
    return torch.cat((nothing, values[:, :-1]), dim=1)


def _repeated(outputs: Tensor) -> Tensor:
    """Which rows of outputs (B, n, length) equal an earlier one, (B, n)."""
    equal = (outputs.unsqueeze(1) == outputs.unsqueeze(2)).all(3)  # (B, n, n)
    return equal.tril(-1).any(2)
