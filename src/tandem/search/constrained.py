"""Beam search for outputs that contain given words: Hokamp & Liu (2017)."""

import copy
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.search.base import Choice, Expansion, Search, Step, extend_step_by_step
from tandem.search.options import checked_count
from tandem.search.penalty import LengthPenalty
from tandem.search.pool import Pool
from tandem.search.prefixes import choose, expand, extend, no_outputs
from tandem.search.vocabulary import Vocabulary, bound, checked_sequences, ids_of

KEY = "search.required"
MOST_REQUIRED = 1000


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
    :param required: texts, or lists of ids of target symbols.
    :param length_penalty: see :class:`LengthPenalty`.
    :param alpha: strength of the penalty; larger favours longer outputs.
    :raises InputError: if a sequence cannot be required.
    """

    def __init__(
        self,
        *,
        width: int,
        required: Sequence[Sequence[int] | str],
        length_penalty: str,
        alpha: float,
    ) -> None:
        self.width = checked_count("search.width", width, least=1)
        self.required = checked_sequences(KEY, required)
        self.penalty = LengthPenalty(length_penalty, alpha)

    def bind(self, vocabulary: Vocabulary) -> Self:
        """See :class:`Search`."""
        search = copy.copy(self)
        search.required = [ids_of(KEY, one, vocabulary) for one in self.required]
        symbols = sum(map(len, search.required))
        if symbols > MOST_REQUIRED:
            raise InputError(
                f"`{KEY}` has {symbols:,} symbols, but at most {MOST_REQUIRED:,} can be required, "
                "as each needs a beam of its own; leave some out."
            )
        return search

    def __call__(
        self, step: Step, state: State, *, first: Tensor, max_length: int
    ) -> list[list[Hypothesis]]:
        """See :class:`Search`; at most ``width`` hypotheses a source, no two of them equal."""
        sequences = Sequences(bound(self.required), first.device)
        grid = Grid(sequences, self.width, self.penalty, first=first, max_length=max_length)
        return extend_step_by_step(step, state, grid, first=first, max_length=max_length)


class Grid(Expansion):
    """The beams of each source, one for each number of required symbols that are written.

    :param width: K, prefixes of each beam.
    :param first: see :class:`tandem.search.Search`, as for ``max_length``.
    """

    def __init__(
        self,
        sequences: "Sequences",
        width: int,
        penalty: LengthPenalty,
        *,
        first: Tensor,
        max_length: int,
    ) -> None:
        self.beams, self.width = sequences.symbols + 1, width
        super().__init__(self.beams * width)
        self.sequences, self.penalty, self.max_length = sequences, penalty, max_length
        sources, device = len(first), first.device
        self.pool = Pool.empty(sources, width, device)
        self.live = torch.arange(sources, device=device)  # (B',) sources that are not done
        shape = (sources, self.beams, width)
        self.scores = torch.full(shape, -torch.inf, dtype=torch.float32, device=device)
        self.scores[:, 0, 0] = 0.0  # nothing is written yet, so there is one prefix
        self.prefixes = no_outputs(first, sources, self.rows)
        self.written = first.new_zeros(
            sources, self.rows, len(sequences.lengths)
        )  # symbols of each

    def history(self, position: int) -> Tensor:
        """See :class:`Expansion`."""
        return self.prefixes.flatten(0, 1)[:, :position]

    def advance(self, allowed: Tensor, normalizer: Tensor, position: int) -> Choice:
        """See :class:`Expansion`."""
        length = position + 1
        best, parents, symbols, moves = self._expand(allowed, normalizer)  # (B, beams, 2K)
        extended = extend(
            self.prefixes, parents.flatten(1), symbols.flatten(1), position, self.max_length
        )
        counted = self.sequences.counted(moves).flatten(1, 2)
        written = choose(self.written, parents.flatten(1)) + counted
        extended, written = (part.view(*best.shape, -1) for part in (extended, written))
        best[:, -1] = best[:, -1].masked_fill(_repeated(extended[:, -1]), -torch.inf)
        ended = symbols == SPECIAL_IDS.eos
        final = ended[:, -1] if length < self.max_length else torch.ones_like(ended[:, -1])
        penalty = self.penalty(length)
        self.pool.add(self.live, best[:, -1] / penalty, final, extended[:, -1])
        scores, order = best.masked_fill(ended, -torch.inf).topk(self.width, dim=2)
        going = self.pool.worst(self.live) < scores.flatten(1).amax(1) / penalty  # (B,)
        self.scores = scores.masked_fill(~going[:, None, None], -torch.inf)  # done ones stay done
        self.prefixes, self.written = (
            choose(part.flatten(0, 1), order.flatten(0, 1)).view(len(best), self.rows, -1)
            for part in (extended, written)
        )
        impossible = self.scores == -torch.inf
        return Choice(
            tokens=symbols.gather(2, order).masked_fill(impossible, SPECIAL_IDS.eos).flatten(),
            parents=parents.gather(2, order).flatten(1),
            going=going,
        )

    def keep(self, sources: Tensor) -> None:
        """See :class:`Expansion`."""
        self.live, self.scores, self.prefixes, self.written = (
            part[sources] for part in (self.live, self.scores, self.prefixes, self.written)
        )

    def hypotheses(self) -> list[list[Hypothesis]]:
        """See :class:`Expansion`."""
        return self.pool.hypotheses()

    def _expand(self, allowed: Tensor, normalizer: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The best 2K prefixes of each beam, by any symbol from the same or by a required one.

        :param allowed: (B x beams x K, V) see :meth:`advance`, as for ``normalizer``.
        :return: (B, beams, 2K) each: scores; parents, counted over all beams; symbols; which
            sequence the symbol belongs to, or W for none.
        """
        sources, beams, width = self.scores.shape
        next_symbols, possible, inside = self.sequences.options(self.written)  # (B, beams x K, W)
        wanted = allowed.gather(1, next_symbols.flatten(0, 1)) - normalizer  # (N, W)
        wanted = wanted.view_as(next_symbols).masked_fill(~possible, -torch.inf)
        moved = (self.scores.view(sources, -1, 1) + wanted).view(sources, beams, -1)
        outside = self.scores.masked_fill(inside.view_as(self.scores), -torch.inf).flatten(0, 1)
        free = allowed.view(sources, beams, width, -1).clone()
        free[:, :-1, :, SPECIAL_IDS.eos] = -torch.inf  # something is still to be written
        stayed, parents, symbols = (
            part.view(sources, beams, -1)
            for part in expand(outside, free.flatten(0, 2), normalizer)
        )
        first_places = width * torch.arange(beams, device=allowed.device)[:, None]
        places = torch.arange(self.rows, device=allowed.device)[:, None]  # (beams x K, 1)
        kinds = torch.arange(next_symbols.size(2), device=allowed.device)  # (W,)
        stay = (stayed, parents + first_places, symbols, torch.full_like(symbols, len(kinds)))
        move = (moved, places.expand_as(next_symbols), next_symbols, kinds.expand_as(next_symbols))
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


def _next_beam(values: Tensor) -> Tensor:
    """What comes out of each beam (B, beams, n), put one beam on; into the first comes nothing."""
    nothing = torch.full_like(values[:, :1], -torch.inf if values.is_floating_point() else 0)
    return torch.cat((nothing, values[:, :-1]), dim=1)


def _repeated(outputs: Tensor) -> Tensor:
    """Which rows of outputs (B, n, length) equal an earlier one, (B, n)."""
    equal = (outputs.unsqueeze(1) == outputs.unsqueeze(2)).all(3)  # (B, n, n)
    return equal.tril(-1).any(2)
